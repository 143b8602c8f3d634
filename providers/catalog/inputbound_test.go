package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
)

func TestAllowance_Input(t *testing.T) {
	a := catalog.Allowance{Request: 100_000_000, Message: 1_000_000, Tools: 30_000, Tool: 4_000, Image: 300}
	// more is what comes on top of the body's bytes: messages, whether there are tools, tools,
	// images, other tokens.
	f := func(body string, messages, tools, images, others int64, reach catalog.InputReach) {
		t.Helper()
		want := int64(len(body)) + a.Request + messages*a.Message + tools*a.Tool + images*a.Image + others
		if tools > 0 {
			want += a.Tools
		}
		if got, r := a.Input([]byte(body)); got != want || r != reach {
			t.Errorf("%s\ngot  %d (%d), %d more\nwant %d (%d)", body, got, r, got-want, want, reach)
		}
		if got, r := a.Input(nil, apart(body)...); got != want || r != reach {
			t.Errorf("%s\nin parts got %d (%d), %d more\nwant %d (%d)", body, got, r, got-want, want, reach)
		}
	}
	const bounded, context, open = catalog.InputBounded, catalog.InputContext, catalog.InputOpen
	f(``, 0, 0, 0, 0, bounded)
	f(`{"model":"m"}`, 0, 0, 0, 0, bounded)
	f(`{ "messages" : [ {"role" : "user","content":"hi"},{"r\u006fle":"tool","content":"\"role\":"}]}`, 2, 0, 0, 0, bounded)

	// Tools of each language.
	f(`{"tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{"type":{"type":"web"}}}}},{"type":"custom","custom":{}}]}`, 0, 2, 0, 0, bounded)
	f(`{"functions":[{"name":"a"},{"name":"b"}]}`, 0, 2, 0, 0, bounded)
	f(`{"tools":[{"name":"a","input_schema":{"type":"object"}},{"name":"b","input_schema":{}}]}`, 0, 2, 0, 0, bounded)
	f(`{"tools":[{"functionDeclarations":[{"name":"a","parameters":{"type":"OBJECT"}},{"name":"b"}]},{"functionDeclarations":[{"name":"c"}]}],"contents":[]}`, 0, 5, 0, 0, bounded)
	f(`{"tools":[{"type":"bash_20250124","name":"bash"}]}`, 0, 1, 0, 1024, bounded)

	// The provider's own tools have it read more than it is sent.
	f(`{"tools":[{"type":"web_search_20250305","name":"web_search"}]}`, 0, 1, 0, 0, open)
	f(`{"tools":[{"ty\u0070e":"web_search_20250305"}]}`, 0, 1, 0, 0, open)
	f(`{"contents":[],"tools":[{"googleSearch":{}}]}`, 0, 1, 0, 0, open)
	f(`{"tools":[{"google_search":{}}],"contents":[]}`, 0, 1, 0, 0, open)
	f(`{"tools":[{"googleSearch":null}],"contents":[]}`, 0, 1, 0, 0, bounded)
	f(`{"web_search_options":{}}`, 0, 0, 0, 0, open)
	f(`{"web_search_options":null,"mcp_servers":[]}`, 0, 0, 0, 0, bounded)
	f(`{"mcp_servers":[{"url":"x"}]}`, 0, 0, 0, 0, open)

	// Images count by their number, whatever their bytes.
	pixels := strings.Repeat("iVBORw0KGgo", 1000)
	length := int64(len(pixels))
	f(`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}`, 1, 0, 1, 0, bounded)
	f(`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,`+pixels+`"}},{"image_url":{"url":"h"}}]}]}`,
		1, 0, 2, -(length + int64(len(`"data:image/png;base64,"`))), bounded)
	f(`{"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,`+pixels+`"},{"type":"input_image","image_url":"h"}]}]}`,
		1, 0, 2, -(length + int64(len(`"data:image/png;base64,"`))), bounded)
	f(`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"`+pixels+`"}}]}]}`,
		1, 0, 1, -(length + 2), bounded)
	f(`{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"image","source":{"data":"`+pixels+`","media_type":"image/png","type":"base64"}}]}]}]}`,
		1, 0, 1, -(length + 2), bounded)
	f(`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"u"}}]}]}`, 1, 0, 1, 0, bounded)
	f(`{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"`+pixels+`"}},{"text":"t"}]}]}`, 2, 0, 1, -(length + 2), bounded)
	f(`{"contents":[{"parts":[{"file_data":{"mime_type":"image/png","file_uri":"u"}}]}]}`, 1, 0, 1, 0, bounded)

	// What only looks like an image is text, and its bytes count.
	for _, text := range []string{
		`{"messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pixels + `"}}}]}]}`,
		`{"messages":[{"role":"assistant","content":[{"type":"tool_use","inp\u0075t":{"a":[{"media_type":"image/png","type":"base64","data":"` + pixels + `"}]}}]}]}`,
		`{"contents":[{"role":"model","p":[{"functionCall":{"args":{"inlineData":{"mimeType":"image/png","data":"` + pixels + `"}}}}]}]}`,
		`{"contents":[{"role":"user","p":[{"functionResponse":{"response":{"inlineData":{"mimeType":"image/png","data":"` + pixels + `"}}}}]}]}`,
		`{"messages":[{"role":"user","content":[{"type":"text","media_type":"image/png","data":"` + pixels + `"}]}]}`,
		`{"messages":[{"role":"user","content":[{"image":1,"url":"data:image/png;base64,` + pixels + `"}]}]}`,
	} {
		f(text, 1, 0, 0, 0, bounded)
	}
	f(`{"tools":[{"type":"function","function":{"image_url":{"url":"data:image/png;base64,`+pixels+`"}}}]}`, 0, 1, 0, 0, bounded)

	// A file may hold anything up to what the model can read; a text is its bytes.
	f(`{"messages":[{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA"}}]}]}`, 1, 0, 0, 0, context)
	f(`{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}`, 1, 0, 0, 0, context)
	f(`{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}]}`, 1, 0, 1, 0, context)
	f(`{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AAAA"}}]}]}`, 1, 0, 0, 1024, context)
	f(`{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"AAAA"}}]}]}`, 1, 0, 0, 1024, bounded)
	f(`{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"document","source":{"type":"text"}}]},{"type":"document","source":{"type":"url"}}]}]}`, 1, 0, 0, 1024, context)
	f(`{"contents":[{"parts":[{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}]}]}`, 1, 0, 0, 0, context)
	f(`{"contents":[{"parts":[{"fileData":{"fileUri":"https://youtu.be/x"}}]}]}`, 1, 0, 0, 0, context)
	f(`{"contents":[{"parts":[{"fileData":{"mimeType":"video/mp4","fileUri":"u"}}]}]}`, 1, 0, 0, 0, context)
	f(`{"contents":[],"cachedContent":"c"}`, 0, 0, 0, 0, context)
	f(`{"input":[{"role":"user","content":[{"type":"input_file","file_url":"https://x/y.pdf"}]}]}`, 1, 0, 0, 0, context)
	f(`{"input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]}`, 1, 0, 1, 0, context)

	// So may what the provider keeps of a conversation; and some ask the model more than once.
	for _, name := range []string{"previous_response_id", "conversation"} {
		f(`{"input":"go on","`+name+`":"x_1"}`, 0, 0, 0, 0, context)
		f(`{"input":"go on","`+name+`":null}`, 0, 0, 0, 0, bounded)
	}
	f(`{"prompt":{"id":"pmpt_1"}}`, 0, 0, 0, 0, context)
	f(`{"prompt":"Once"}`, 0, 0, 0, 0, bounded)
	f(`{"input":"think","reasoning":{"mode":"pro"}}`, 0, 0, 0, 0, open)
	f(`{"input":"think","reasoning":{"effort":"low","mode":"standard"}}`, 0, 0, 0, 0, bounded)
	f(`{"contents":[{"parts":[{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}}]}]}`, 1, 0, 0, 0, bounded)
	f(`{"contents":[{"parts":[{"inlineData":{"mimeType":"audio/flac","data":"AAAA"}}]}]}`, 1, 0, 0, 0, context)
}

// apart divides a request between its members.
func apart(body string) (parts [][]byte) {
	var doc providers.Document
	_ = doc.Scan([]byte(body), nil) // without members it stays whole
	from := 0
	for _, field := range doc.Fields {
		parts = append(parts, []byte(body[from:field.KeyStart]))
		from = field.KeyStart
	}
	return append(parts, []byte(body[from:]))
}

func TestAllowanceFor(t *testing.T) {
	f := func(provider, model string, image int64, open bool) {
		t.Helper()
		a := catalog.AllowanceFor(provider, model)
		if a.Image != image || a.Open != open || a.Request < 1 || a.Tools < 1 || a.Message < 1 || a.Tool < 1 {
			t.Errorf("%s/%s: %+v", provider, model, a)
		}
	}
	f("openai", "gpt-4o-mini-2024-07-18", 48_169, false)
	f("openai", "gpt-4o", 1_445, false)
	f("openai", "gpt-4.1-mini", 3_778, false)
	f("openai", "gpt-5.4", 24_600, false)
	f("openai", "gpt-4o-search-preview", 1_445, true)
	f("anthropic", "claude-opus-4-8", 5_000, false)
	f("groq", "groq/compound-mini", 6_500, true)
	f("nobody", "x", 48_169, false)
	f("openrouter", "openai/gpt-4o:online", 48_169, true)
}

// Whatever a body holds, its bytes count but for those of images.
func FuzzAllowance_Input(f *testing.F) {
	for _, seed := range []string{
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}`,
		`{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}],"tools":[{"a":1}]}`,
		`{"messages":[{"input":{"a":[}]}}"`, `"\`, `]]}}{"data":`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		tokens, _ := catalog.Allowance{}.Input(body)
		if tokens < 0 || tokens < int64(len(body)) && !strings.Contains(string(body), "image/") && !strings.Contains(string(body), `\`) {
			t.Errorf("%d tokens of %d bytes: %q", tokens, len(body), body)
		}
	})
}

func BenchmarkAllowance_Input(b *testing.B) {
	message := `{"role":"user","content":"` + strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20) + `"}`
	for _, n := range []int{1, 100} {
		body := []byte(`{"model":"m","messages":[` + strings.TrimSuffix(strings.Repeat(message+",", n), ",") + `]}`)
		b.Run(fmt.Sprintf("%dkB", len(body)/1000), func(b *testing.B) {
			a := catalog.AllowanceFor("openai", "gpt-5")
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				a.Input(body)
			}
		})
	}
}
