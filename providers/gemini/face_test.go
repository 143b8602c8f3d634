package gemini_test

import (
	"path/filepath"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/responses"
)

func TestGoldenFace(t *testing.T) {
	for _, c := range []struct {
		folder  string
		dialect providers.Dialect
	}{{"anthropic", anthropic.Dialect{}}, {"openai", openai.Dialect{}}, {"responses", responses.Dialect{}}, {"exact", gemini.Dialect{}}} {
		t.Run(c.folder, func(t *testing.T) {
			providertest.GoldenIn(t, filepath.Join("testdata", "faces", c.folder), gemini.Face{}, c.dialect)
		})
	}
}
