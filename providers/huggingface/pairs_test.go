package huggingface_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/huggingface"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGoldenPair(t *testing.T) {
	providertest.GoldenPair(t, "pairs", openai.Face{}, openai.Dialect{}, huggingface.FeatureExtraction())
}
