package responses_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/responses"
)

// streams hands the recorded upstream streams of a pair's golden cases to do.
func streams(t *testing.T, pair string, do func(name string, call *providers.Call, body []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pair, "*", "upstream_response.sse"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no streams of %s: %v", pair, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(file), "request.json"))
		if err != nil {
			t.Fatal(err)
		}
		doc := &providers.Document{}
		if err := doc.Scan(bytes.TrimSpace(raw), nil); err != nil {
			t.Fatal(err)
		}
		call, err := (&providertest.Setting{}).Call(doc)
		if err != nil {
			t.Fatal(err)
		}
		do(file, &call, body)
	}
}

var translated = []string{"chat", "anthropic", "gemini", "bedrock"}

// Every translated stream has the form of OpenAI's own, and adds up to the whole reply that the
// same events make.
func TestStreams(t *testing.T) {
	for _, pair := range translated {
		streams(t, pair, func(name string, call *providers.Call, body []byte) {
			dialect := pairs[pair].dialect
			out, err := providertest.Relay(responses.Face{}, dialect, call, body)
			if err != nil {
				t.Fatal(err)
			}
			streamed, wrong := providertest.ResponseStream(out)
			for _, w := range wrong {
				t.Errorf("%s: %s", name, w)
			}
			if streamed["status"] == "failed" {
				return
			}
			var whole []byte
			asWhole := *call
			asWhole.Stream = false
			writer := responses.Face{}.Writer(&asWhole)
			if err := providertest.Decode(dialect, call, bytes.NewReader(body), func(ev *providers.Event) { whole = writer.Write(whole, ev) }); err != nil {
				t.Fatal(err)
			}
			if got, want := any(streamed), gjson.ParseBytes(whole).Value(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: streamed %v\nwhole %v", name, got, want)
			}
		})
	}
}

// A stream that the gateway ends early has its form too, wherever it is cut; so has one of the
// upstream's own events.
func TestStreams_cut(t *testing.T) {
	for _, pair := range append([]string{"exact"}, translated...) {
		streams(t, pair, func(name string, call *providers.Call, body []byte) {
			if strings.Contains(name, "/failed/") || strings.Contains(name, "/error_event/") {
				return
			}
			for after := 1; after < bytes.Count(body, []byte("\n\n"))-1; after++ {
				end := providertest.Ending{Exact: pair == "exact", After: after}
				out, err := providertest.CutFrom(responses.Face{}, pairs[pair].dialect, call, bytes.NewReader(body), end)
				if err != nil {
					t.Fatal(err)
				}
				if after == 1 && end.Exact {
					continue // without the second event there is no response.in_progress
				}
				last, wrong := providertest.ResponseStream(out)
				for _, w := range wrong {
					t.Errorf("%s cut behind event %d: %s", name, after, w)
				}
				if status := last["status"]; status != "incomplete" && status != "failed" && !strings.Contains(string(out), "response.completed") {
					t.Errorf("%s cut behind event %d: status %v", name, after, status)
				}
			}
		})
	}
}

// What a client was given and sends back as it is becomes the blocks that the upstream made,
// seals and all.
func TestOutputComesBack(t *testing.T) {
	for _, pair := range translated {
		streams(t, pair, func(name string, call *providers.Call, body []byte) {
			made, whole := assemble(t, pair, call, body)
			output := gjson.GetBytes(whole, "output")
			if len(output.Array()) == 0 {
				return
			}
			doc := &providers.Document{}
			if err := doc.Scan([]byte(`{"input":`+output.Raw+`}`), nil); err != nil {
				t.Fatal(err)
			}
			req, err := responses.Face{}.ReadRequest(doc)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(req.Turns) != 1 || len(req.Turns[0].Blocks) != len(made) {
				t.Fatalf("%s: %d turns of %+v, want %d blocks", name, len(req.Turns), req.Turns, len(made))
			}
			for i, got := range req.Turns[0].Blocks {
				want := made[i]
				if got.Kind != want.Kind || got.Text != want.Text || !reflect.DeepEqual(got.Call, want.Call) || !reflect.DeepEqual(got.Seal, want.Seal) {
					t.Errorf("%s: block %d came back as %+v %+v %+v\nwant %+v %+v %+v", name, i, got, got.Call, got.Seal, want, want.Call, want.Seal)
				}
			}
		})
	}
}

// assemble gives the blocks of a reply, and the whole response that a client gets of it.
func assemble(t *testing.T, pair string, call *providers.Call, body []byte) (made []*providers.Block, whole []byte) {
	t.Helper()
	asWhole := *call
	asWhole.Stream = false
	writer := responses.Face{}.Writer(&asWhole)
	open := map[int]*providers.Block{}
	broken := false
	err := providertest.Decode(pairs[pair].dialect, call, bytes.NewReader(body), func(ev *providers.Event) {
		whole = writer.Write(whole, ev)
		switch ev.Kind {
		case providers.EventFault:
			broken = true
		case providers.EventBlockStart:
			b := &providers.Block{Kind: ev.Block.Kind, Text: strings.Clone(ev.Block.Text), Seal: ev.Block.Seal}
			if c := ev.Block.Call; c != nil {
				call := *c
				b.Call = &call
			}
			open[ev.Index] = b
			made = append(made, b)
		case providers.EventDelta:
			if b := open[ev.Index]; b.Call != nil {
				b.Call.Arguments += ev.Text
			} else {
				b.Text += ev.Text
			}
		case providers.EventBlockStop:
			b := open[ev.Index]
			if ev.Block != nil && ev.Block.Seal != nil {
				b.Seal = ev.Block.Seal
			}
			if b.Call != nil && b.Call.Arguments == "" {
				b.Call.Arguments = "{}"
			}
		}
	})
	if err != nil || broken {
		return nil, nil
	}
	kept := made[:0]
	for _, b := range made { // an empty text without a seal says nothing
		if b.Kind != providers.KindText || b.Text != "" || b.Seal != nil {
			kept = append(kept, b)
		}
	}
	return kept, whole
}
