package policy_test

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// What an operator sets in OpenAI's words is said in those of every path that makes an answer.
func TestSurfaces_words(t *testing.T) {
	set := &storage.Parameters{Force: []storage.Parameter{{Name: "max_tokens", Value: []byte("77")}, {Name: "temperature", Value: []byte("0.5")}}}
	for _, s := range catalog.Surfaces() {
		for i := range s.Endpoints {
			at := &s.Endpoints[i]
			if !at.Op.Makes() || at.Ask == nil {
				continue
			}
			var doc providers.Document
			if err := doc.Scan([]byte(`{"model":"m"}`), nil); err != nil {
				t.Fatal(err)
			}
			body, changed, err := policy.Rewrite(nil, &doc, at, set)
			if err != nil || !changed || !strings.Contains(string(body), "77") || !strings.Contains(string(body), "0.5") {
				t.Errorf("%s%s: %s, %v", s.Prefix, at.Path, body, err)
			}
			if err := doc.Scan(body, nil); err != nil {
				t.Fatal(err)
			}
			asked, err := at.Ask(&doc)
			if err != nil || asked.MaxOutput != 77 {
				t.Errorf("%s%s asks for %d tokens of %s, %v", s.Prefix, at.Path, asked.MaxOutput, body, err)
			}
		}
	}
}
