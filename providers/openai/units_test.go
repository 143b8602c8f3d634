package openai

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// What is billed by the piece or by the length is read off the replies that tell it, and off no
// other.
func TestObserve_units(t *testing.T) {
	f := func(name, frame string, want providers.Normal, told bool) {
		t.Helper()
		seen := Dialect{}.Observe([]byte(frame))
		if got := seen.Usage.Total(); got != want || seen.HasUsage != told {
			t.Errorf("%s: %+v, told %v; want %+v, %v", name, got, seen.HasUsage, want, told)
		}
	}
	type n = providers.Normal
	f("seconds that are billed", `{"text":"hi","usage":{"type":"duration","seconds":9}}`, n{AudioInMs: 9000}, true)
	f("a tenth of a second", `{"text":"hi","usage":{"seconds":0.1,"type":"duration"}}`, n{AudioInMs: 100}, true)
	f("what is billed goes before what it lasts", `{"task":"transcribe","duration":8.470000267028809,"usage":{"type":"duration","seconds":9}}`, n{AudioInMs: 9000}, true)
	f("Groq's", `{"task":"transcribe","language":"English","duration":8.47,"text":"hi","segments":[{"id":0,"end":8.4}],"x_groq":{"id":"req"}}`, n{AudioInMs: 8470}, true)
	f("as a text", `{"task":"translate","duration":"8.47","text":"hi"}`, n{AudioInMs: 8470}, true)
	f("tokens are what is billed", `{"task":"transcribe","duration":27.4,"text":"hi","usage":{"type":"tokens","input_tokens":274,"output_tokens":10,"total_tokens":284}}`,
		n{InputUncached: 274, Output: 10}, true)
	f("of another thing", `{"object":"thing","duration":5,"text":"hi"}`, n{}, false)
	f("nonsense", `{"task":"transcribe","duration":-5,"usage":{"type":"duration","seconds":-1}}`, n{}, true)
	f("a last event", `{"type":"transcript.text.done","text":"hi","usage":{"type":"duration","seconds":2}}`, n{AudioInMs: 2000}, true)

	f("links", `{"created":1,"data":[{"url":"https://a"},{"url":"https://b","revised_prompt":"url"}]}`, n{Images: 2}, true)
	f("bytes", `{"created":1,"data":[{"b64_json":"iVBO"}],"usage":{"input_tokens":5,"output_tokens":7,"total_tokens":12}}`,
		n{InputUncached: 5, Output: 7, ImageOut: 7, Images: 1}, true)
	f("none", `{"created":1,"data":[]}`, n{}, false)
	f("an event", `{"type":"image_generation.partial_image","b64_json":"iVBO"}`, n{}, false)
	f("embeddings", `{"object":"list","data":[{"object":"embedding","embedding":[0.1],"index":0}],"usage":{"prompt_tokens":3,"total_tokens":3}}`, n{InputUncached: 3}, true)
	f("a chat that shows a page", `{"choices":[{"message":{"content":"x","annotations":[{"url_citation":{"url":"https://a"}}]}}],"data":[{"url":"u"}]}`, n{}, false)
}

func TestAskMedia_units(t *testing.T) {
	f := func(ask func(*providers.Document) (providers.Asked, error), body string, characters, images int64, variant string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		a, err := ask(&doc)
		if err != nil || a.Characters != characters || a.Images != images || a.Variant != variant {
			t.Errorf("%s: %d characters, %d images of %q, %v; want %d, %d, %q", body, a.Characters, a.Images, a.Variant, err, characters, images, variant)
		}
	}
	f(askSpeech, `{"input":"Gr\u00fc\u00dfe, 世界 \ud83d\ude00"}`, 11, 0, "")
	f(askSpeech, `{"model":"tts-1"}`, 0, 0, "")
	f(askImages, `{"prompt":"a"}`, 0, 1, "")
	f(askImages, `{"n":null,"size":null,"quality":null}`, 0, 1, "")
	f(askImages, `{"n":3,"size":"1024x1792","quality":"hd"}`, 0, 3, "1024x1792/hd")
	f(askImages, `{"n":0,"size":"auto","quality":"standard"}`, 0, 1, "")
	f(askImages, `{"size":"1024x1024","quality":"auto"}`, 0, 1, "1024x1024")
	f(askImages, `{"quality":"hd"}`, 0, 1, "hd")
	f(askImages, `{"n":"many","size":5}`, 0, 1, "")
	f(askImages, `{"size":"Ünsinn \n"}`, 0, 1, "other")
	f(askImages, `{"size":"123456789012345678901234567890123"}`, 0, 1, "other")
}
