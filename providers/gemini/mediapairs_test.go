package gemini_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestImages(t *testing.T) {
	providertest.GoldenPair(t, "images", openai.Face{}, gemini.Dialect{}, gemini.Images())
}

func TestSpeech(t *testing.T) {
	providertest.GoldenPair(t, "speech", openai.Face{}, gemini.Dialect{}, gemini.Speech(openai.Face{}.Broken))
}
