package proxy

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// newMediaGateway has a provider that serves sounds and images by a script.
func newMediaGateway(t *testing.T, s *script, change ...setting) *testGateway {
	t.Helper()
	return newTestGateway(t, one(t, always()), append([]setting{func(_ *Options, state *Snapshot) {
		a := state.Accounts["one"][0]
		a.Upstream = pool(t, s)
		for op, path := range map[providers.Op]string{providers.OpSpeech: "/audio/speech", providers.OpImages: "/images/generations"} {
			a.Routes[op] = []providers.Route{{Language: "openai", Dialect: openai.Dialect{}, Path: path}}
		}
	}}, change...)...)
}

func (g *testGateway) ask(ctx context.Context, t *testing.T, path, body string) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

const (
	askSpeech = `{"model":"one/m","input":"hello","voice":"alloy"}`
	soundHead = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n"
)

// A sound goes by as it comes, and costs what nobody knows, not nothing.
func TestGateway_SoundsGoBy(t *testing.T) {
	sound := strings.Repeat("\x00\xff\xfb\x90", 20_000)
	g := newMediaGateway(t, newScript(t, always(soundHead, chunk(sound[:5]), chunk(sound[5:]), chunkEnd)))
	resp, body, err := g.ask(t.Context(), t, "/v1/audio/speech", askSpeech)
	if err != nil || resp.StatusCode != 200 || body != sound || resp.Header.Get("content-type") != "audio/mpeg" {
		t.Fatalf("%v, %v, %d bytes of %d", resp, err, len(body), len(sound))
	}
	rec := g.records.next(t)
	if rec.Outcome != storage.OutcomeOK || rec.BytesOut != int64(len(sound)) || rec.CostNano != nil || rec.FirstByte == 0 {
		t.Errorf("record %+v", rec)
	}
}

// A sound that breaks off is no whole sound to the client either.
func TestGateway_SoundsThatBreakOff(t *testing.T) {
	g := newMediaGateway(t, newScript(t, always(soundHead, chunk("half"), "<close>")))
	resp, body, err := g.ask(t.Context(), t, "/v1/audio/speech", askSpeech)
	if err == nil || resp.StatusCode != 200 || body != "half" {
		t.Errorf("%v, %v, %q", resp, err, body)
	}
	if rec := g.records.next(t); rec.Outcome != storage.OutcomeBrokenStream {
		t.Errorf("outcome %s", rec.Outcome)
	}
	g = newMediaGateway(t, newScript(t, always(soundHead, chunkEnd)))
	if resp, body, err := g.ask(t.Context(), t, "/v1/audio/speech", askSpeech); err != nil || resp.StatusCode != 502 {
		t.Errorf("an empty sound: %v, %v, %q", resp, err, body)
	}
}

// Events of sounds and images are the provider's own bytes, and their usage is read.
func TestGateway_EventsOfMedia(t *testing.T) {
	events := `data: {"type":"speech.audio.delta","audio":"AAAA"}` + "\n\n" +
		`data: {"type":"speech.audio.done","usage":{"input_tokens":7,"output_tokens":5,"total_tokens":12}}` + "\n\n"
	g := newMediaGateway(t, newScript(t, always(chunkHead, chunk(events), chunkEnd)))
	resp, body, err := g.ask(t.Context(), t, "/v1/audio/speech", `{"model":"one/m","input":"hello","voice":"alloy","stream_format":"sse"}`)
	if err != nil || resp.StatusCode != 200 || body != events {
		t.Fatalf("%v, %v, %q", resp, err, body)
	}
	rec := g.records.next(t)
	if n := rec.Usage.Total(); rec.Outcome != storage.OutcomeOK || !rec.Stream || n.InputUncached != 7 || n.Output != 5 || rec.CostNano == nil {
		t.Errorf("record %+v, usage %+v", rec, n)
	}
	g = newMediaGateway(t, newScript(t, always(chunkHead, chunk(events[:60]), chunkEnd)))
	_, body, _ = g.ask(t.Context(), t, "/v1/audio/speech", `{"model":"one/m","input":"hello","voice":"alloy","stream_format":"sse"}`)
	if rec := g.records.next(t); rec.Outcome == storage.OutcomeOK {
		t.Errorf("a cut stream is whole: %q", body)
	}
}

func TestGateway_ImagesAreBilledByTheirTokens(t *testing.T) {
	reply := `{"created":1,"data":[{"b64_json":"iVBORw0KGgo="}],"usage":{"input_tokens":9,"output_tokens":272,"total_tokens":281,"input_tokens_details":{"text_tokens":6,"image_tokens":3}}}`
	g := newMediaGateway(t, newScript(t, always(whole(reply))))
	resp, body, err := g.ask(t.Context(), t, "/v1/images/generations", `{"model":"one/m","prompt":"a cat","n":1}`)
	if err != nil || resp.StatusCode != 200 || body != reply {
		t.Fatalf("%v, %v, %q", resp, err, body)
	}
	rec := g.records.next(t)
	if n := rec.Usage.Total(); n.InputUncached != 9 || n.ImageIn != 3 || n.Output != 272 || n.ImageOut != 272 || rec.CostNano == nil {
		t.Errorf("usage %+v, record %+v", n, rec)
	}
}
