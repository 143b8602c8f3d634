package mistral_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/mistral"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestSpeech(t *testing.T) {
	providertest.GoldenPair(t, "speech", openai.Face{}, openai.Dialect{}, mistral.Speech())
}
