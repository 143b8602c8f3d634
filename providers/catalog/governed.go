package catalog

import (
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/responses"
)

// GovernedHeaders are those of every language, for the same reason.
func GovernedHeaders() []providers.GovernedHeader {
	return []providers.GovernedHeader{anthropic.Betas()}
}

// Governed watches the governed fields of every language at once. A field is held against the
// key before the route is known, so that no spelling slips past by its target.
//
// Of rules with one path the first counts. Anthropic's comes first since its tools.#.type lets
// pass the tools that clients run themselves; then OpenAI's, whose service_tier has Groq's name
// for the usual price.
func Governed() *providers.Watch {
	return providers.NewWatch(anthropic.Governed(), openai.Governed(), responses.Governed(), gemini.Governed())
}
