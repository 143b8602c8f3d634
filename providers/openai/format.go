package openai

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

type formatJSON struct {
	Type   string         `json:"type"`
	Schema jsontext.Value `json:"schema"` // with json_object: Fireworks, Together
	Value  jsontext.Value `json:"value"`  // with json_object: HuggingFace's own inference
	JSON   *struct {
		Name        string         `json:"name"`
		Description string         `json:"description"`
		Schema      jsontext.Value `json:"schema"`
		Strict      *bool          `json:"strict"`
	} `json:"json_schema"`
}

// format reads response_format.
func (r *reader) format(raw []byte) error {
	var f formatJSON
	if err := Unmarshal("response_format", raw, &f); err != nil {
		return err
	}
	to := &r.req.Format
	switch f.Type {
	case "text":
		to.Kind = providers.FormatText
	case "json_object":
		to.Kind = providers.FormatJSON
		if schema := first(present(f.Schema), present(f.Value)); schema != nil {
			*to = providers.Format{Kind: providers.FormatSchema, Name: "response", Schema: schema}
		}
	case "json_schema":
		if f.JSON == nil {
			return Missing("response_format.json_schema")
		}
		*to = providers.Format{
			Kind: providers.FormatSchema, Name: f.JSON.Name, Description: f.JSON.Description,
			Schema: present(f.JSON.Schema), Strict: f.JSON.Strict,
		}
	case "":
		return Missing("response_format.type")
	default:
		return Refuse("response_format.type", "invalid_value",
			fmt.Sprintf("Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and 'text'.", f.Type))
	}
	return nil
}

func first(values ...[]byte) []byte {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}
