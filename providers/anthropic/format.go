package anthropic

import (
	"fmt"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/schema"
)

// jsonNudge stands for OpenAI's JSON mode, which the API does not have.
const jsonNudge = "Answer with one valid JSON object and nothing else: no code fence and no text around it."

// askFormat says response_format.
// Source: https://docs.claude.com/en/docs/build-with-claude/structured-outputs
func (w *writer) askFormat() error {
	f := &w.req.Format
	switch f.Kind {
	case providers.FormatUnset, providers.FormatText:
	case providers.FormatJSON:
		w.drop("response_format")
		w.nudge = jsonNudge
	case providers.FormatSchema:
		return w.askSchema(f)
	}
	return nil
}

func (w *writer) askSchema(f *providers.Format) error {
	const param = "response_format.json_schema.schema"
	if w.call.Can.NoStructuredOutput {
		return providers.Invalid("response_format", fmt.Sprintf("the model '%s' takes no JSON schema for its output", w.call.Asked))
	}
	if len(f.Schema) == 0 {
		return providers.Invalid(param, "a JSON schema is needed")
	}
	root, err := schema.Parse(f.Schema)
	if err != nil {
		return providers.Invalid(param, "the JSON schema cannot be used: "+err.Error())
	}
	if root.Kind != schema.Object {
		return providers.Invalid(param, "the JSON schema must be a JSON object")
	}
	if restrict(root) {
		w.drop(param + ".additionalProperties")
	}
	if f.Description != "" && root.Get("description") == nil {
		root.Set("description", schema.String(f.Description))
	}
	value := root.Append([]byte(`{"type":"json_schema","schema":`))
	w.setConfig("format", append(value, '}'))
	return nil
}
