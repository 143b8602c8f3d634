package policy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestEstimateOutput(t *testing.T) {
	f := func(content, want int64) {
		t.Helper()
		if got := EstimateOutput(content); got != want {
			t.Errorf("%d bytes are %d tokens, want %d", content, got, want)
		}
	}
	f(-1, 0)
	f(0, 0)
	f(1, 1)
	f(4, 2) // 1.1, and no part of a token is given away
	f(400, 110)
	f(1<<62, 1<<50/4*11/10+1)
}

func TestEstimateInput(t *testing.T) {
	f := func(body string, low, high int64) {
		t.Helper()
		if got := EstimateInput([]byte(body)); got < low || got > high {
			t.Errorf("%d tokens, want %d to %d of %.200s", got, low, high, body)
		}
	}
	chat := func(content string) string {
		return `{"model":"gpt-4o","messages":[{"role":"user","content":` + content + `}]}`
	}
	f(``, 0, 0)
	f(`{}`, 0, 0)
	f(`not JSON at all`, 0, 0)
	f(`{"messages":[{"role":"user","content":"never ended`, 5, 12)
	f(chat(`"Hello!"`), 6, 7) // o200k: 2 tokens, and 4 for the frame
	f(chat(`"The quick brown fox jumps over the lazy dog."`), 15, 18)
	f(chat(`"`+strings.Repeat("word ", 1000)+`"`), 1300, 1400)
	f(chat(`"`+strings.Repeat("1234 ", 100)+`"`), 200, 210)
	f(chat(`"`+strings.Repeat("日本", 100)+`"`), 220, 226)
	f(chat(`"`+strings.Repeat(`\u65e5\u672c`, 100)+`"`), 220, 226)
	f(chat(`"`+strings.Repeat("Привет ", 100)+`"`), 350, 370)
	f(chat(`"`+strings.Repeat(`\u041f\u0440 `, 100)+`"`), 140, 143)
	f(chat(`"`+strings.Repeat(`\u0041\n\"`, 100)+`"`), 130, 140)
	f(chat(`"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"`), 13, 15)

	// What the model does not see.
	f(`{"model":"`+strings.Repeat("m", 400)+`","user":"`+strings.Repeat("u", 400)+`","metadata":{"k":"`+strings.Repeat("v", 400)+`"},"messages":[]}`, 0, 0)
	f(chat(`[{"type":"thinking","signature":"`+strings.Repeat("QUJD", 500)+`","thinking":"yes"}]`), 5, 7)
	f(chat(`[{"type":"tool_result","tool_use_id":"toolu_01A09q90qw90lq917835lq9","content":"ok"}]`), 5, 6)

	// Media are counted, never read.
	image := strings.Repeat("iVBORw0KGgo", 10_000)
	f(chat(`[{"type":"image_url","image_url":{"url":"data:image/png;base64,`+image+`"}}]`), 842, 850)
	f(chat(`[{"type":"image_url","image_url":{"url":"data:image/png;base64,`+image+`","detail":"low"}}]`), 94, 102)
	f(chat(`[{"type":"image_url","image_url":{"detail":"low","url":"https://example.com/a.png"}}]`), 94, 102)
	f(chat(`[{"type":"input_image","image_url":"https://example.com/a.png"}]`), 842, 850)
	f(chat(`[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"`+image+`"}}]`), 842, 850)
	f(chat(`[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"some words to read"}}]`), 9, 11)
	f(chat(`[{"type":"input_audio","input_audio":{"format":"wav","data":"`+image+`"}}]`), 842, 850)
	f(`{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"`+image+`"}},{"text":"What is it?"}]}]}`, 846, 855)
	f(chat(`[{"type":"file","file":{"file_id":"file-abc"}}]`), 842, 850)
	f(chat(`[{"type":"new","blob":"`+image+`"}]`), 842, 850)
	// Base64 that stands among words is words, and costs as much.
	f(chat(`"`+image+`"`), 27_500, 110_000)

	// Tools are told to the model, names and all.
	tool := `{"type":"function","function":{"name":"get_weather","description":"Get the weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}`
	f(`{"messages":[],"tools":[`+tool+`]}`, 35, 60)
	f(`{"messages":[],"tools":[`+tool+`,`+tool+`]}`, 70, 120)
	f(chat(`[{"type":"tool_use","id":"x","name":"get_weather","input":{"destination_city":"Paris","days":"three"}}]`), 12, 20)

	// Embeddings: words, or tokens as they are.
	f(`{"model":"e","input":"The quick brown fox"}`, 5, 7)
	f(`{"model":"e","input":["The quick","brown fox"]}`, 5, 7)
	f(`{"model":"e","input":[1,22,333,4444],"dimensions":512}`, 5, 5)
	f(`{"model":"e","input":[[1,22],[333,-4444]]}`, 5, 5)
}

func TestEstimate_allocations(t *testing.T) {
	body := []byte(`{"messages":[{"role":"user","content":"Hello"}],"tools":[{"name":"f"}]}`)
	if n := testing.AllocsPerRun(100, func() { EstimateInput(body) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzEstimateInput(f *testing.F) {
	for _, seed := range []string{
		``, `"`, `{"a":`, `{"messages":[{"role":"user","content":"a \u00e9 \ud83d\ude00 b"}]}`, `{"input":[1,2,-3]}`, `"\`, `"\u12`,
		`{"messages":[{"content":[{"image_url":{"url":"data:,","detail":"low"}}]}]}`, `]]]]{{{`, `{"tools":[{"name":"` + "\xff\xe0\xc0" + `"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n := EstimateInput(body)
		strings := int64(bytes.Count(body, []byte{'"'})+1) / 2
		if n < 0 || n > int64(len(body))+strings*tokens(weightMedia)+1 {
			t.Fatalf("%d tokens of %d bytes", n, len(body))
		}
		// The more words, the more tokens.
		words, err := json.Marshal(string(body))
		if err != nil {
			t.Fatal(err)
		}
		prompt := func(text []byte) int64 { return EstimateInput([]byte(`{"prompt":` + string(text) + `}`)) }
		more := append(append([]byte{}, words[:len(words)-1]...), ` and more"`...)
		if a, b := prompt(words), prompt(more); b < a {
			t.Fatalf("%d tokens, and with more words %d", a, b)
		}
		if a := prompt(words); a > int64(len(words))+12 {
			t.Fatalf("%d tokens of %d bytes of text", a, len(words))
		}
	})
}

func BenchmarkEstimateInput(b *testing.B) {
	body := []byte(`{"messages":[{"role":"user","content":"` + strings.Repeat("The quick brown fox jumps over the lazy dog. ", 200) + `"}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		EstimateInput(body)
	}
}
