package openai_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGolden(t *testing.T) {
	providertest.Golden(t, openai.Face{}, openai.Dialect{})
}

func TestCuts(t *testing.T) {
	providertest.Cuts(t, openai.Face{}, openai.Dialect{}, false)
	providertest.Cuts(t, openai.Face{}, openai.Dialect{}, true)
}
