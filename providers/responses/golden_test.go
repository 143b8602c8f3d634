package responses_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/responses"
)

// pairs are the folders under testdata: who speaks with the client, and who with the upstream.
var pairs = map[string]struct {
	face    providers.Face
	dialect providers.Dialect
}{
	"exact":     {responses.Face{}, responses.Dialect{}},
	"chat":      {responses.Face{}, openai.Dialect{}},
	"anthropic": {responses.Face{}, anthropic.Dialect{}},
	"gemini":    {responses.Face{}, gemini.Dialect{}},
	"bedrock":   {responses.Face{}, bedrock.Dialect{}},
	"from_chat": {openai.Face{}, responses.Dialect{}},
}

func TestGolden(t *testing.T) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) { providertest.GoldenIn(t, "testdata/"+name, pair.face, pair.dialect) })
	}
}
