package anthropic_test

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

func TestFace(t *testing.T) {
	for folder, dialect := range map[string]providers.Dialect{
		"exact": anthropic.Dialect{}, "gemini": gemini.Dialect{}, "openai": openai.Dialect{}, "responses": responses.Dialect{},
	} {
		t.Run(folder, func(t *testing.T) {
			providertest.GoldenIn(t, filepath.Join("testdata", "face", folder), anthropic.Face{}, dialect)
		})
	}
}
