package openai_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func seeds(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*", pattern))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds %s: %v", pattern, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSpace(b))
	}
}

// Any request is read or refused by name; what is read can be said again, and reads as the same.
func FuzzReadRequest(f *testing.F) {
	seeds(f, "request.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		providertest.Stable(t, openai.Face{}, openai.Dialect{}, body)
	})
}

// The exact path changes the members it names and nothing else.
func FuzzSplice(f *testing.F) {
	seeds(f, "request.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		var doc providers.Document
		if doc.Scan(body, nil) != nil {
			return
		}
		call := providers.Call{Op: providers.OpChat, Doc: &doc, Model: "a/b\"c", Stream: true}
		plan, err := openai.Dialect{}.Splice(&call)
		if err != nil {
			return
		}
		var before, after map[string]jsontext.Value
		loose := json.JoinOptions(jsontext.AllowDuplicateNames(true))
		if err := json.Unmarshal(body, &before, loose); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(plan.Requests[0].Whole(), &after, loose); err != nil {
			t.Fatalf("%v\n%s", err, plan.Requests[0].Whole())
		}
		if string(after["model"]) != `"a/b\"c"` {
			t.Fatalf("model %s", after["model"])
		}
		if plan.HideUsage && !gjson.GetBytes(after["stream_options"], "include_usage").Bool() {
			t.Fatalf("stream_options %s", after["stream_options"])
		}
		for name, value := range before {
			if name != "model" && name != "stream_options" && !bytes.Equal(value, after[name]) {
				t.Fatalf("%s: %s became %s", name, value, after[name])
			}
		}
	})
}

func FuzzObserve(f *testing.F) {
	seeds(f, "upstream_response.json")
	f.Add([]byte(plainChunk))
	f.Add([]byte(`{"choices":[{"delta":{"content":"a\\`))
	f.Add([]byte(`[DONE]`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		seen := openai.Dialect{}.Observe(frame)
		if seen.Content < 0 || seen.Content > 2*len(frame) || seen.HasUsage && !gjson.ValidBytes(seen.Usage.Raw) {
			t.Fatalf("%+v", seen)
		}
		if len(seen.Model) == 0 || !gjson.ValidBytes(frame) || bytes.Contains(frame, []byte(`\u`)) {
			return // or a name may be written in another way
		}
		if want := gjson.GetBytes(frame, "model").String(); providers.Text(seen.Model) != want {
			t.Fatalf("the model is %s, read as a whole %q", seen.Model, want)
		}
	})
}

// Any reply, whole or streamed, becomes a well-formed one or an error, and ends.
func FuzzReadReply(f *testing.F) {
	seeds(f, "upstream_response.*")
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, stream := range []bool{true, false} {
			call := providers.Call{Stream: stream, IncludeUsage: true, ID: "r", Asked: "m"}
			out, err := providertest.Relay(openai.Face{}, openai.Dialect{}, &call, body)
			if err != nil {
				return
			}
			if !stream {
				if len(out) > 0 && !gjson.ValidBytes(out) {
					t.Fatalf("not JSON: %s", out)
				}
				continue
			}
			text := string(out)
			if done := strings.HasSuffix(text, "data: [DONE]\n\n"); done == strings.Contains(text, `data: {"error":`) {
				t.Fatalf("neither an end nor an error, or both: %s", text)
			}
			for event := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
				data, ok := strings.CutPrefix(event, "data: ")
				if !ok || data != "[DONE]" && !gjson.Valid(data) {
					t.Fatalf("event %q", event)
				}
			}
		}
	})
}
