package catalog

import (
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/responses"
)

// DialectOf gives what reads the language of a client's, nil where nothing does.
func DialectOf(language string) providers.Dialect {
	switch language {
	case openai.Language:
		return openai.Dialect{}
	case responses.Language:
		return responses.Dialect{}
	case anthropic.Language:
		return anthropic.Dialect{}
	case gemini.Language:
		return gemini.Dialect{}
	}
	return nil
}
