package gemini_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGoldenPair(t *testing.T) {
	providertest.GoldenPair(t, "pairs", openai.Face{}, gemini.Dialect{}, gemini.Embeddings())
}
