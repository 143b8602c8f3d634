package gemini_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGolden(t *testing.T) {
	providertest.Golden(t, openai.Face{}, gemini.Dialect{})
}

func TestCuts(t *testing.T) {
	providertest.Cuts(t, openai.Face{}, gemini.Dialect{}, false)
}
