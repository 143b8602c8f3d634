package openrouter_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/openrouter"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestTranscriptions(t *testing.T) {
	providertest.GoldenPair(t, "transcriptions", openai.Face{}, openai.Dialect{}, openrouter.Transcriptions())
}
