package anthropic_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/providertest"
)

// Either language's clients count with the other's models.
func TestCount_acrossLanguages(t *testing.T) {
	f := func(face providers.Face, dialect providers.Dialect, request, sent, reply, want string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(request), nil); err != nil {
			t.Fatal(err)
		}
		req, err := face.ReadRequest(&doc)
		if err != nil {
			t.Fatal(err)
		}
		call := providers.Call{Op: providers.OpCountTokens, Doc: &doc, Model: "m"}
		plan, err := dialect.WriteRequest(req, &call)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(plan.Requests[0].Body); got != sent {
			t.Errorf("sent %s\nwant %s", got, sent)
		}
		if got, err := providertest.Relay(face, dialect, &call, []byte(reply)); err != nil || string(got) != want {
			t.Errorf("read %s, %v; want %s", got, err, want)
		}
	}
	f(gemini.Face{}, anthropic.Dialect{},
		`{"generateContentRequest":{"model":"models/a/m","contents":[{"parts":[{"text":"Hi"}]}],"systemInstruction":{"parts":[{"text":"Be brief."}]},"generationConfig":{"temperature":1}}}`,
		`{"model":"m","system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}`,
		`{"input_tokens":14}`, `{"totalTokens":14}`)
	f(counter(t), gemini.Dialect{},
		`{"model":"g/m","system":"Be brief.","messages":[{"role":"user","content":"Hi"}]}`,
		`{"generateContentRequest":{"model":"models/m","systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}}`,
		`{"totalTokens":9,"cachedContentTokenCount":2}`, `{"input_tokens":9}`)
	f(counter(t), gemini.Dialect{},
		`{"model":"g/m","messages":[{"role":"user","content":"Hi"}]}`,
		`{"generateContentRequest":{"model":"models/m","contents":[{"role":"user","parts":[{"text":"Hi"}]}]}}`,
		`{"error":"no"}`, ``)
}

// counter is the face of count_tokens.
func counter(t *testing.T) providers.Face {
	t.Helper()
	for _, e := range anthropic.Surface().Endpoints {
		if e.Op == providers.OpCountTokens {
			return e.Face
		}
	}
	t.Fatal("no endpoint counts")
	return nil
}
