package openai_test

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

const plainChunk = `{"id":"chatcmpl-Q7","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4.1-mini-2025-04-14","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"Zk3"}`

func TestObserveContent(t *testing.T) {
	f := func(delta string, want int) {
		t.Helper()
		frame := `{"object":"chat.completion.chunk","choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}],"error":null,"usage":null}`
		for _, body := range []string{frame, strings.NewReplacer(":", ": ", ",", ", ").Replace(frame)} {
			got := openai.Dialect{}.Observe([]byte(body))
			if got.Content != want || got.HasUsage || got.Fault != nil || got.End || got.Finish != "" || got.UsageOnly {
				t.Errorf("%s: got %+v, want %d bytes of content", body, got, want)
			}
		}
	}
	f(`{}`, 0)
	f(`{"role":"assistant","content":""}`, 0)
	f(`{"role":"assistant","content":null,"refusal":null,"reasoning":null,"tool_calls":null}`, 0)
	f(`{"content":"abc"}`, 3)
	f(`{"content":"\"content\""}`, 11)
	f(`{"content":"","reasoning_content":"ab"}`, 2)
	f(`{"reasoning":"abc"}`, 3)
	f(`{"reasoning":"abc","reasoning_content":"abc"}`, 3)
	f(`{"reasoning_details":[{"type":"reasoning.summary","summary":"abc"}]}`, 3)
	f(`{"refusal":"No"}`, 2)
	f(`{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]}`, 1)
	f(`{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}`, 2)
	f(`{"tool_calls":[{"index":0,"custom":{"input":"abc"}}]}`, 3)
	f(`{"function_call":{"arguments":"ab"}}`, 2)
	f(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"abc"}]}]}`, 3)
	f(`{"audio":{"id":"a","data":"UklG"}}`, 1)
	f(`{"audio":{"id":"a","transcript":"ab"}}`, 2)
	f(`{"images":[{"type":"image_url"}]}`, 1)
}

// The model is told where it surely is the frame's own; where it may be another's it is left to who reads all.
func TestObserve_Model(t *testing.T) {
	f := func(frame, want string) {
		t.Helper()
		if got := (openai.Dialect{}).Observe([]byte(frame)); string(got.Model) != want {
			t.Errorf("%s: got %s, want %s", frame, got.Model, want)
		}
	}
	f(plainChunk, `"gpt-4.1-mini-2025-04-14"`)
	f(`{"id":"a", "model" : "m\"n" , "choices":[{"model":"x"}]}`, `"m\"n"`)
	f(`{"model":"m","model":"n"}`, `"m"`)
	f(`{"choices":[],"model":"m"}`, ``)
	f(`{"timings":{"model":"x"},"model":"m"}`, ``)
	f(`[{"model":"x"}]`, ``)
	f(`{"model":null}`, ``)
	f(`{"object":"model","id":"m"}`, ``)
	f(`{"model":"m`, ``)
}

func TestObserveTheRest(t *testing.T) {
	f := func(frame string, check func(providers.Seen) bool) {
		t.Helper()
		if got := (openai.Dialect{}).Observe([]byte(frame)); !check(got) {
			t.Errorf("%s: got %+v", frame, got)
		}
	}
	f(`[DONE]`, func(s providers.Seen) bool { return s.End })
	f(` [DONE] `, func(s providers.Seen) bool { return s.End })
	f(``, func(s providers.Seen) bool { return !s.End && s.Fault == nil })
	f(`{"choices":[{"delta":{},"finish_reason":"stop"}]}`, func(s providers.Seen) bool { return s.Finish == "stop" && s.Content == 0 })
	f(`{"choices":[{"delta":{},"finish_reason":"odd"}]}`, func(s providers.Seen) bool { return s.Finish == "odd" })
	f(`{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":1}},"service_tier":"flex"}`, func(s providers.Seen) bool {
		n := s.Usage.Total()
		return s.HasUsage && s.UsageOnly && n.InputUncached == 2 && n.CacheRead == 1 && n.Output == 4 && n.Tier == "flex" &&
			string(s.Usage.Raw) == `{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":1}}`
	})
	f(`{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":3}}`, func(s providers.Seen) bool { return s.HasUsage && !s.UsageOnly && s.Content == 1 })
	f(`{"choices":[],"prompt_filter_results":[{}]}`, func(s providers.Seen) bool { return !s.UsageOnly && !s.HasUsage })
	f(`{"choices":[{"delta":{}}],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":1}}}`, func(s providers.Seen) bool { return s.HasUsage && s.Usage.Total().Input() == 3 })
	f(`{"choices":[{"delta":{}}],"x_groq":{"error":"over capacity"}}`, func(s providers.Seen) bool { return s.Fault != nil && s.Fault.Message == "over capacity" })
	f(`{"error":{"message":"boom","type":"server_error"}}`, func(s providers.Seen) bool { return s.Fault != nil && s.Fault.Kind == providers.FaultUpstream })
	f(`{"choices":[{"message":{"content":"the \"error\": {\"a\":1}"}}]}`, func(s providers.Seen) bool { return s.Fault == nil })
	f(`{"usage":{"prompt_tokens":`, func(s providers.Seen) bool { return !s.HasUsage })
	f(`{"error":`+strings.Repeat(`[`, 100000), func(s providers.Seen) bool { return s.Fault == nil })
	f(`{"usage":{"a":`+strings.Repeat(`[`, 100000)+strings.Repeat(`]`, 100000)+`}}`, func(s providers.Seen) bool { return !s.HasUsage })
}

func TestObserveAllocatesNothing(t *testing.T) {
	frame := []byte(plainChunk)
	if n := testing.AllocsPerRun(100, func() {
		if (openai.Dialect{}).Observe(frame).Content != 5 {
			t.Error("content was not counted")
		}
	}); n != 0 {
		t.Errorf("%v allocations for a plain chunk", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	frame := []byte(plainChunk)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		openai.Dialect{}.Observe(frame)
	}
}
