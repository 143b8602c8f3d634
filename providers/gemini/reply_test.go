package gemini_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func events(t *testing.T, stream bool, frames ...string) []providers.Event {
	t.Helper()
	d := gemini.Dialect{}.ReadReply(&providers.Call{Stream: stream})
	var all []providers.Event
	for _, frame := range frames {
		all = d.Decode(all, []byte(frame))
	}
	return d.Close(all)
}

// A whole reply that holds nothing but a failed call is worth another try.
func TestMisfire(t *testing.T) {
	f := func(reply string, want bool) {
		t.Helper()
		all := events(t, false, reply)
		last := all[len(all)-1]
		if got := last.Kind == providers.EventFault; got != want {
			t.Fatalf("%s: fault %v, want %v", reply, got, want)
		}
		if want && (last.Fault.Kind != providers.FaultUpstream || !last.Fault.Retryable) {
			t.Errorf("%s: %+v", reply, last.Fault)
		}
	}
	f(`{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}`, true)
	f(`{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL","content":{}}]}`, true)
	f(`{"candidates":[{"finishReason":"TOO_MANY_TOOL_CALLS","content":{"parts":[{"text":"hm","thought":true}]}}]}`, true)
	f(`{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","content":{"parts":[{"text":"x"}]}}]}`, false)
	f(`{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"},{"index":1,"finishReason":"STOP"}]}`, false)
	f(`{"candidates":[]}`, true)
	f(`{"candidates":[{"content":{"parts":[{"text":"no reason given"}]}}]}`, false)
	f(``, true)
	f(`"text"`, true)
	f(`{"candidates":`, true)
}

// A decoder says one end, whatever comes after it.
func TestOneEnd(t *testing.T) {
	f := func(stream bool, frames ...string) {
		t.Helper()
		ends := 0
		for _, ev := range events(t, stream, frames...) {
			if ev.Kind == providers.EventEnd || ev.Kind == providers.EventFault {
				ends++
			}
		}
		if ends != 1 {
			t.Errorf("%q: %d ends", frames, ends)
		}
	}
	whole := `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}`
	f(false, whole)
	f(false, whole, whole)
	f(true, whole)
	f(true, whole, `{"error":{"code":500}}`, whole)
	f(true, `[`+whole+`,{"error":{"code":500}},`+whole+`]`)
	f(true)
	f(true, "", " \n")
}

func TestUsage(t *testing.T) {
	f := func(want providers.Normal, frames ...string) {
		t.Helper()
		var seen providers.Usage
		for _, frame := range frames {
			if s := (gemini.Dialect{}).Observe([]byte(frame)); s.HasUsage {
				seen.Merge(s.Usage)
			}
		}
		if got := seen.Total(); got != want {
			t.Errorf("Observe: %+v, want %+v", got, want)
		}
		var said providers.Usage
		for _, ev := range events(t, true, frames...) {
			if ev.Kind == providers.EventUsage {
				said.Merge(*ev.Usage)
			}
		}
		if got := said.Total(); got != want {
			t.Errorf("ReadReply: %+v, want %+v", got, want)
		}
	}
	// Cached tokens stand within promptTokenCount and are not charged twice
	// (https://github.com/BerriAI/litellm/pull/14849).
	f(providers.Normal{InputUncached: 2000, CacheRead: 8000, Output: 130, Reasoning: 100},
		`{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10000,"cachedContentTokenCount":8000,"candidatesTokenCount":30,"thoughtsTokenCount":100}}`)
	// The last value of a field wins, and one that is not repeated stays.
	f(providers.Normal{InputUncached: 45, Output: 12, Reasoning: 5, AudioIn: 9, Tier: "flex"},
		`{"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":3,"thoughtsTokenCount":5}}`,
		`{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":15,"toolUsePromptTokenCount":30,"candidatesTokenCount":7,"serviceTier":"FLEX","promptTokensDetails":[{"modality":"AUDIO","tokenCount":9}]}}`)
	// An image's tokens cost many times a word's.
	f(providers.Normal{InputUncached: 265, ImageIn: 258, Output: 1300, ImageOut: 1290},
		`{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":265,"candidatesTokenCount":1300,`+
			`"promptTokensDetails":[{"modality":"IMAGE","tokenCount":258}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}]}}`)
	// Searches are charged by the grounded prompt up to 2.5, by the query from 3 on.
	grounded := `{"modelVersion":"gemini-MODEL","candidates":[{"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a","b"]}}],"usageMetadata":{"promptTokenCount":1}}`
	f(providers.Normal{InputUncached: 1, Searches: 1}, strings.ReplaceAll(grounded, "MODEL", "2.5-flash"))
	f(providers.Normal{InputUncached: 1, Searches: 2}, strings.ReplaceAll(grounded, "MODEL", "3-pro"))
}

func TestObserve(t *testing.T) {
	f := func(frame string, content int, finish string) {
		t.Helper()
		seen := gemini.Dialect{}.Observe([]byte(frame))
		if seen.Content != content || seen.Finish != finish || seen.End || seen.UsageOnly {
			t.Errorf("%s: %+v", frame, seen)
		}
	}
	f(`{"candidates":[{"content":{"parts":[{"text":"abc"},{"text":"de","thought":true}]},"index":0}]}`, 5, "")
	f(`{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"xyz"}]},"finishReason":"STOP"}]}`, 0, "STOP")
	f(`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}]}`, 12, "STOP")
	f(`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"usageMetadata":{"promptTokenCount":9},"text":"\"]}"}}}]}}]}`, 74, "")
	f(`{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}},{"text":"ab"}]}}]}`, 3, "")
	f(`{"promptFeedback":{"blockReason":"SAFETY"}}`, 0, "SAFETY")
	f(`{"candidates":[{"finishReason":2}]}`, 0, "MAX_TOKENS")
	f(`[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},{"candidates":[{"finishReason":"SAFETY"}]}]`, 1, "SAFETY")
	f(``, 0, "")
	f(`{"candidates":[{"content":{"parts":[{"text":"abc`, 4, "")
	seen := gemini.Dialect{}.Observe([]byte(`[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]`))
	if seen.Fault == nil || seen.Fault.Kind != providers.FaultOverloaded || seen.Fault.Message != "busy" {
		t.Errorf("an error in mid-stream: %+v", seen.Fault)
	}
}

func TestObserveAllocates(t *testing.T) {
	frame := []byte(`{"candidates":[{"content":{"parts":[{"text":"abc"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"totalTokenCount":12,"promptTokensDetails":[{"modality":"TEXT","tokenCount":7}]},"modelVersion":"gemini-2.5-flash","responseId":"r"}`)
	// The one allocation is the usage line.
	if n := testing.AllocsPerRun(100, func() { _ = gemini.Dialect{}.Observe(frame) }); n > 2 {
		t.Errorf("a content event costs %v allocations", n)
	}
}

func FuzzReadReply(f *testing.F) {
	f.Add(true, []byte("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"},{\"functionCall\":{\"name\":\"f\",\"args\":{}}}]},\"finishReason\":\"STOP\"}]}\n\n"))
	f.Add(true, []byte("data: [{\"error\":{\"code\":429}}]\n\n"))
	f.Add(false, []byte(`{"candidates":[{"index":-3,"content":{"parts":[{"inlineData":{}},{"executableCode":{}},{"thoughtSignature":"a"}]},"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"startIndex":-1,"endIndex":99,"partIndex":7},"groundingChunkIndices":[0,-1]}]}}]}`))
	f.Add(false, []byte(`{"candidates":[{"content":{"parts":[{"text":"é"}]},"citationMetadata":{"citationSources":[{"startIndex":1,"endIndex":1e30,"uri":"u"}]},"logprobsResult":{"chosenCandidates":[{}]}}],"usageMetadata":{"promptTokenCount":-5}}`))
	f.Add(false, []byte(`{"candidates":[{"content":{"parts":[{"text":"a"}]},"logprobsResult":{"chosenCandidates":[{"token":"a","logProbability":-1e400}]}}]}`))
	f.Fuzz(func(t *testing.T, stream bool, body []byte) {
		call := providers.Call{Stream: stream, ID: "r", IncludeUsage: true}
		ends := 0
		err := providertest.Decode(gemini.Dialect{}, &call, strings.NewReader(string(body)), func(ev *providers.Event) {
			if ev.Kind == providers.EventEnd || ev.Kind == providers.EventFault {
				ends++
			}
		})
		if err != nil {
			return
		}
		if ends != 1 {
			t.Fatalf("%d ends", ends)
		}
		out, _ := providertest.Relay(openai.Face{}, gemini.Dialect{}, &call, body)
		if !stream && len(out) > 0 && !jsontext.Value(out).IsValid() {
			t.Fatalf("not JSON: %s", out)
		}
		gemini.Dialect{}.Observe(body)
		gemini.Dialect{}.Fault(400, func(string) string { return "" }, body)
	})
}

func FuzzWriteRequest(f *testing.F) {
	f.Add([]byte(`{"messages":[{"role":"user","content":"hi"}]}`), "gemini-3-pro-preview", false)
	f.Add([]byte(`{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]},{"role":"tool","tool_call_id":"a","content":"{}"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":["object","null"],"allOf":[{"properties":{"a":{"enum":[1,"b",null],"items":[{},true]}}}]}}}]}`), "gemini-2.0-flash", true)
	f.Add([]byte(`{"messages":[{"role":"system","content":"s"}],"extra_body":{"google":{"thinking_config":{},"generation_config":{"top_k":1}}},"modalities":["audio"],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"$ref":"#"}}}}`), "x", true)
	f.Fuzz(func(t *testing.T, body []byte, model string, legacy bool) {
		var doc providers.Document
		if doc.Scan(body, nil) != nil {
			return
		}
		req, err := openai.Face{}.ReadRequest(&doc)
		if err != nil {
			return
		}
		call := providers.Call{Doc: &doc, Model: model, Path: "/p", Can: providers.Capabilities{LegacySchema: legacy}}
		plan, err := gemini.Dialect{}.WriteRequest(req, &call)
		if err != nil {
			if fault := new(providers.Fault); !errors.As(err, &fault) {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		again, err := gemini.Dialect{}.WriteRequest(req, &call)
		if err != nil || len(again.Requests) != len(plan.Requests) {
			t.Fatalf("the second time: %v", err)
		}
		for i := range plan.Requests {
			if !jsontext.Value(plan.Requests[i].Body).IsValid() {
				t.Fatalf("not JSON: %s", plan.Requests[i].Body)
			}
			if string(again.Requests[i].Body) != string(plan.Requests[i].Body) {
				t.Fatalf("not the same twice:\n%s\n%s", plan.Requests[i].Body, again.Requests[i].Body)
			}
		}
	})
}
