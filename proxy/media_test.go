package proxy

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

func fromUSD(text string) *int64 {
	n, err := storage.ParseUSD(text)
	if err != nil {
		panic(err)
	}
	return &n
}

// soldBy is a book of models that are sold by the character, the hour, the image and the token.
func soldBy(_ *Options, s *Snapshot) {
	images := storage.Rate{Image: fromUSD("0.04")}
	images.Set("image 1024x1792/hd", fromUSD("0.12"))
	var list []storage.Price
	for model, rate := range map[string]storage.Rate{
		"tts": {Character: fromUSD("0.00002")}, "mini-tts": {Input: fromUSD("1"), Output: fromUSD("12"), HourOut: fromUSD("0.9")},
		"whisper": {HourIn: fromUSD("0.36")}, "groq": {HourIn: fromUSD("0.36"), MinSeconds: 10}, "dall": images,
		"gpt-image": {Input: fromUSD("5"), ImageOut: fromUSD("40")}, "transcribe": {Input: fromUSD("2.5"), Output: fromUSD("10")},
	} {
		list = append(list, storage.Price{ID: model, Provider: "one", Model: model, Rates: []storage.Rate{rate}})
	}
	s.Prices = policy.NewPriceBook(list)
}

// newUnitGateway is a gateway to an upstream of sounds and images that answers as it is told.
func newUnitGateway(t *testing.T, answer http.HandlerFunc, change ...setting) (*testGateway, *pages) {
	t.Helper()
	account, _ := listener(t, "one", answer)
	for op, path := range map[providers.Op]string{
		providers.OpSpeech: "/audio/speech", providers.OpTranscription: "/audio/transcriptions", providers.OpImages: "/images/generations",
	} {
		account.Routes[op] = []providers.Route{{Language: "openai", Dialect: openai.Dialect{}, Path: path}}
	}
	journal := &pages{}
	g := newSoundGateway(t, targetsOf("one/whisper"), []*Account{account},
		append([]setting{soldBy, journaled(journal)}, change...)...)
	return g, journal
}

// answers says a body of a content type.
func answers(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// wave is so many milliseconds of silence: 16 kHz, 16 bits.
func wave(ms int) string {
	data := strings.Repeat("\x00", ms*32)
	return "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\xff\xff\xff\xff" + data
}

func (g *testGateway) transcribe(t *testing.T, model, file string, more ...piece) (int, string) {
	t.Helper()
	parts := append([]piece{{name: "model", value: "one/" + model}}, more...)
	parts = append(parts, piece{name: "file", filename: "a.wav", mime: "audio/wav", value: file, file: true})
	body := compose(t, testBoundary, parts...)
	resp, text, err := g.upload(t.Context(), testBoundary, strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}

func (g *testGateway) media(t *testing.T, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+keyNumber(0))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// What is sold by the piece or by the length is priced by what the request and the reply say.
func TestGateway_MediaArePriced(t *testing.T) {
	var answer http.HandlerFunc
	g, journal := newUnitGateway(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	f := func(name string, reply http.HandlerFunc, send func() (int, string), cost, unpriced string, estimated bool, want providers.Normal) {
		t.Helper()
		answer = reply
		if status, text := send(); status != 200 {
			t.Errorf("%s: status %d: %s", name, status, text)
			return
		}
		g.records.next(t)
		kept := slices.Concat(journal.take()...)
		e := kept[len(kept)-1]
		if got := storage.FormatUSD(e.CostNano); got != cost || e.Unpriced != unpriced || e.Charge.Estimated != estimated || len(e.Lines) != 1 || e.Lines[0] != want {
			t.Errorf("%s: costs %s (%s), estimated %v, %+v; want %s (%s), %v, %+v", name, got, e.Unpriced, e.Charge.Estimated, e.Lines, cost, unpriced, estimated, want)
		}
	}
	type n = providers.Normal
	speak := func(model, more string) func() (int, string) {
		return func() (int, string) {
			return g.media(t, "/v1/audio/speech", `{"model":"one/`+model+`","input":"Grüße, 世界!","voice":"alloy"`+more+`}`)
		}
	}
	const characters, body = 10, `{"model":"mini-tts","input":"Grüße, 世界!","voice":"alloy"}`
	f("by the character", answers("audio/mpeg", "noise"), speak("tts", ""), "0.0002", "", false, n{Characters: characters})
	text := policy.EstimateInput([]byte(strings.Replace(body, "mini-tts", "one/mini-tts", 1)))
	f("by the length of the sound", answers("audio/pcm", strings.Repeat("\x00\x01", 24*400)), speak("mini-tts", ""),
		storage.FormatUSD(text*1000+100_000), "", true, n{InputUncached: text, Characters: characters, AudioOutMs: 400})
	f("by tokens", answers("text/event-stream", "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":7,\"output_tokens\":50,\"total_tokens\":57}}\n\n"),
		speak("mini-tts", `,"stream_format":"sse"`), "0.000607", "", false, n{InputUncached: 7, Output: 50, Characters: characters})

	hear := func(model string, ms int, more ...piece) func() (int, string) {
		return func() (int, string) { return g.transcribe(t, model, wave(ms), more...) }
	}
	f("by the seconds that are billed", answers("application/json", `{"text":"hi","usage":{"type":"duration","seconds":3}}`), hear("whisper", 2100),
		"0.0003", "", false, n{AudioInMs: 3000})
	f("by the duration", answers("application/json", `{"task":"transcribe","language":"english","duration":2.0999999046325684,"text":"hi","segments":[]}`), hear("groq", 2100),
		"0.001", "", false, n{AudioInMs: 2100})
	f("by the file's samples", answers("text/plain; charset=utf-8", "hi\n"), hear("whisper", 2100, piece{name: "response_format", value: "text"}),
		"0.00021", "", false, n{AudioInMs: 2100})
	f("Groq's answer says nothing", answers("application/json", `{"text":"hi","x_groq":{"id":"req_1"}}`), hear("groq", 11_000), "0.0011", "", false, n{AudioInMs: 11_000})
	f("nobody knows how long", answers("application/json", `{"text":"hi"}`), func() (int, string) { return g.transcribe(t, "whisper", "noise") },
		"0", policy.UnpricedUnits, false, n{})
	f("by tokens of sound", answers("application/json", `{"text":"hi","usage":{"type":"tokens","total_tokens":30,"input_tokens":20,"input_token_details":{"text_tokens":0,"audio_tokens":20},"output_tokens":10}}`),
		hear("transcribe", 2100), "0.00015", "", false, n{InputUncached: 20, AudioIn: 20, Output: 10})

	paint := func(model, more string) func() (int, string) {
		return func() (int, string) {
			return g.media(t, "/v1/images/generations", `{"model":"one/`+model+`","prompt":"a cat"`+more+`}`)
		}
	}
	two := `{"created":1,"data":[{"url":"https://x/1"},{"url":"https://x/2","revised_prompt":"b64_json"}]}`
	f("by the image", answers("application/json", two), paint("dall", `,"n":3`), "0.08", "", false, n{Images: 2})
	f("by its size", answers("application/json", two), paint("dall", `,"n":2,"size":"1024x1792","quality":"hd"`), "0.24", "", false, n{Images: 2, Variant: "1024x1792/hd"})
	f("of a size without a price", answers("application/json", two), paint("dall", `,"size":"9x9","quality":"standard"`), "0", "no price for image", false, n{Images: 2, Variant: "9x9"})
	f("by the image's tokens", answers("application/json", `{"created":1,"data":[{"b64_json":"iVBO"}],"usage":{"input_tokens":9,"output_tokens":272,"total_tokens":281}}`),
		paint("gpt-image", `,"quality":"low"`), "0.010925", "", false, n{InputUncached: 9, Output: 272, ImageOut: 272, Images: 1, Variant: "low"})
}

// A hard budget lets through what it can pay for at the most, and nothing of what has no bound.
func TestGateway_MediaUnderABudget(t *testing.T) {
	f := func(name string, nano int64, answer http.HandlerFunc, send func(g *testGateway) (int, string), served int, then string) {
		t.Helper()
		g, journal := newUnitGateway(t, answer, limited(t, nil, dollars(nano)))
		for i := range served {
			if status, text := send(g); status != 200 {
				t.Errorf("%s: call %d: %d %s", name, i, status, text)
				return
			}
			g.records.next(t)
		}
		if status, text := send(g); status == 200 || !strings.Contains(text, then) {
			t.Errorf("%s: %d %s, want %s", name, status, text, then)
		}
		var spent int64
		for _, e := range slices.Concat(journal.take()...) {
			if e.State == storage.EntrySettled {
				spent += e.CostNano
			}
		}
		if spent > nano {
			t.Errorf("%s: %d spent of %d", name, spent, nano)
		}
	}
	speak := func(model string) func(g *testGateway) (int, string) {
		return func(g *testGateway) (int, string) {
			return g.media(t, "/v1/audio/speech", `{"model":"one/`+model+`","input":"`+strings.Repeat("a", 100)+`","voice":"alloy"}`)
		}
	}
	// 100 characters at 20 USD a million: 2,000,000 nano-USD each.
	f("speech", 7_000_000, answers("audio/mpeg", "noise"), speak("tts"), 3, "insufficient_quota")
	// At most 110 seconds at 0.9 USD an hour, or their tokens; really half a second.
	f("speech by its length", 68_000_000, answers("audio/pcm", strings.Repeat("\x00", 24_000)), speak("mini-tts"), 2, "insufficient_quota")
	paint := func(more string) func(g *testGateway) (int, string) {
		return func(g *testGateway) (int, string) {
			return g.media(t, "/v1/images/generations", `{"model":"one/dall","prompt":"a cat"`+more+`}`)
		}
	}
	f("images", 300_000_000, answers("application/json", `{"created":1,"data":[{"url":"u"},{"url":"u"}]}`), paint(`,"n":2`), 3, "insufficient_quota")
	f("images of a kind without a price", 300_000_000, answers("application/json", `{}`), paint(`,"size":"9x9"`), 0, "unpriced_model")
	hear := func(file string) func(g *testGateway) (int, string) {
		return func(g *testGateway) (int, string) { return g.transcribe(t, "whisper", file) }
	}
	minute := answers("application/json", `{"text":"hi","usage":{"type":"duration","seconds":60}}`)
	f("a sound of a minute", 15_000_000, minute, hear(wave(60_000)), 2, "insufficient_quota")
	f("a sound of which nobody knows how long it is", 1_000_000, answers("application/json", `{"text":"hi"}`), hear(strings.Repeat("noise", 1000)), 1, "insufficient_quota")
	f("no sound at all", 1_000_000_000, minute, hear(""), 0, "unbounded_call")
}

// The sound goes to the upstream whole, whether it is heard or kept.
func TestEnds(t *testing.T) {
	whole := make([]byte, 300_000)
	for i := range whole {
		whole[i] = byte(i * 7 >> 3)
	}
	for _, step := range []int{1, 1000, 65_536, 70_000, 200_000, 300_000} {
		var e ends
		for at := 0; at < len(whole); at += step {
			_, _ = fmt.Fprintf(&e, "%s", whole[at:min(len(whole), at+step)])
		}
		tail := e.tail[len(e.tail)-65_536:]
		if e.size != 300_000 || string(e.head) != string(whole[:65_536]) || string(tail) != string(whole[300_000-65_536:]) || cap(e.tail) > 400_000 {
			t.Errorf("in steps of %d: %d bytes, head %d, tail %d", step, e.size, len(e.head), len(e.tail))
		}
	}
}
