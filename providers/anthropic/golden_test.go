package anthropic_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGolden(t *testing.T) { providertest.Golden(t, openai.Face{}, anthropic.Dialect{}) }

func TestCuts(t *testing.T) {
	providertest.Cuts(t, openai.Face{}, anthropic.Dialect{}, false)
}
