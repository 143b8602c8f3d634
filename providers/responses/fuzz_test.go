package responses_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/responses"
)

func seeds(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
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

// Any request is read or refused by name; what is read can be said as valid JSON, in Chat's words
// and in the language's own.
func FuzzReadRequest(f *testing.F) {
	seeds(f, "[cage]*/*/request.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		providertest.Stable(t, responses.Face{}, responses.Dialect{}, body)
		var doc providers.Document
		if doc.Scan(body, nil) != nil {
			return
		}
		req, err := responses.Face{}.ReadRequest(&doc)
		var fault *providers.Fault
		if err != nil {
			if !errors.As(err, &fault) || fault.Kind != providers.FaultInvalid || fault.Message == "" {
				t.Fatalf("%#v", err)
			}
			if status, body := (responses.Face{}).Refuse(fault); status != 400 && status != 404 || !gjson.ValidBytes(body) {
				t.Fatalf("%d %s", status, body)
			}
			return
		}
		for _, d := range []providers.Dialect{openai.Dialect{}, responses.Dialect{}} {
			plan, err := d.WriteRequest(req, &providers.Call{Model: "m"})
			if err != nil {
				if !errors.As(err, &fault) {
					t.Fatalf("%#v", err)
				}
				continue
			}
			for _, r := range plan.Requests {
				if !gjson.ValidBytes(r.Body) {
					t.Fatalf("not JSON: %s", r.Body)
				}
			}
		}
	})
}

// The exact path gives valid JSON with the model's name in it, and is not shown bounds that it
// does not keep.
func FuzzSplice(f *testing.F) {
	seeds(f, "[cage]*/*/request.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		var doc providers.Document
		if doc.Scan(body, nil) != nil {
			return
		}
		plan, err := responses.Dialect{}.Splice(&providers.Call{Op: providers.OpChat, Doc: &doc, Model: "a/b\"c", Clamp: 64})
		if err != nil {
			t.Fatal(err)
		}
		said := plan.Requests[0].Whole()
		if !gjson.ValidBytes(said) || gjson.GetBytes(said, "model").Str != "a/b\"c" {
			t.Fatalf("%s", said)
		}
		if bound := gjson.GetBytes(said, "max_output_tokens"); plan.MaxOutput > 0 && bound.Int() != plan.MaxOutput {
			t.Fatalf("said %s, noted %d", bound.Raw, plan.MaxOutput)
		}
	})
}

func FuzzObserve(f *testing.F) {
	seeds(f, "exact/*/upstream_response.json")
	f.Add([]byte(`{"type":"response.output_text.delta","delta":"x\\`))
	f.Add([]byte(`{"type":"error"`))
	f.Add([]byte(`{"delta":{"type":"response.stop"}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		seen := responses.Dialect{}.Observe(frame)
		if seen.Content < 0 || seen.Content > 2*len(frame)+1 || seen.HasUsage && !gjson.ValidBytes(seen.Usage.Raw) {
			t.Fatalf("%+v", seen)
		}
	})
}

// Any reply, whole or streamed, becomes a well-formed one or an error, and ends.
func FuzzReadReply(f *testing.F) {
	seeds(f, "*/*/upstream_response.*")
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range []providers.Dialect{responses.Dialect{}, openai.Dialect{}} {
			for _, stream := range []bool{true, false} {
				call := providers.Call{Stream: stream, ID: "r", Asked: "m"}
				out, err := providertest.Relay(responses.Face{}, d, &call, body)
				if err != nil {
					continue
				}
				if !stream {
					if len(out) > 0 && !gjson.ValidBytes(out) {
						t.Fatalf("not JSON: %s", out)
					}
					continue
				}
				if _, wrong := providertest.ResponseStream(out); len(wrong) > 0 {
					t.Fatalf("%v\n%s", wrong, out)
				}
			}
		}
	})
}

// An upstream may say anything on a stream that went to the client as it came: what ends it
// early is well-formed all the same.
func FuzzPassed(f *testing.F) {
	seeds(f, "exact/*/upstream_response.sse")
	f.Fuzz(func(t *testing.T, body []byte) {
		writer := responses.Face{}.Writer(&providers.Call{Stream: true, ID: "r", Asked: "m"})
		_ = providertest.Frames(true, bytes.NewReader(body), func(_, data []byte) { // what is no stream ends early
			if data != nil {
				writer.Passed(data)
			}
		})
		out := writer.Write(nil, &providers.Event{Kind: providers.EventCut})
		err := providertest.Frames(true, bytes.NewReader(out), func(_, data []byte) {
			if !gjson.ValidBytes(data) {
				t.Fatalf("%q in %s", data, out)
			}
		})
		if err != nil || !bytes.Contains(out, []byte("event: response.incomplete\n")) {
			t.Fatalf("%v: %s", err, out)
		}
	})
}
