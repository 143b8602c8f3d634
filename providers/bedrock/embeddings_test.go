package bedrock_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGoldenPair(t *testing.T) {
	providertest.GoldenPair(t, "pairs/titan", openai.Face{}, bedrock.Dialect{}, bedrock.Titan())
	providertest.GoldenPair(t, "pairs/cohere", openai.Face{}, bedrock.Dialect{}, bedrock.Cohere())
}
