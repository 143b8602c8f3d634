package proxy

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
)

// What a call pays that names no prompt.
func BenchmarkUsePrompt_None(b *testing.B) {
	f := &flight{}
	for _, s := range catalog.Surfaces() {
		for i := range s.Endpoints {
			if s.Endpoints[i].Path == "/v1/chat/completions" {
				f.endpoint = &s.Endpoints[i]
			}
		}
	}
	body := []byte(`{"model":"openai/gpt-5","messages":[{"role":"user","content":"hi"}],"temperature":1,"max_tokens":5,"stream":true,"user":"ada"}`)
	if err := f.doc.Scan(body, nil); err != nil {
		b.Fatal(err)
	}
	f.asked = providers.Asked{Model: "openai/gpt-5"}
	b.ReportAllocs()
	for b.Loop() {
		if err := f.usePrompt(); err != nil {
			b.Fatal(err)
		}
	}
}
