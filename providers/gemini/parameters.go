package gemini

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/schema"
)

// parameters gives a function's schema as the model takes it, nil where it has no arguments. The
// client's own bytes go out wherever their root says that it is an object, as the API insists.
func (r *request) parameters(raw []byte) ([]byte, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "{}" {
		return nil, nil
	}
	if !jsontext.Value(raw).IsValid() {
		return nil, errors.New("it is not valid JSON")
	}
	if raw[0] != '{' {
		return nil, errors.New("it is not an object")
	}
	if r.call.Can.LegacySchema {
		return legacyParameters(raw)
	}
	if kind := gjson.GetBytes(raw, "type"); kind.Type == gjson.String && kind.Str == "object" && !gjson.GetBytes(raw, `\$ref`).Exists() {
		return raw, nil
	}
	root, err := schema.Parse(raw)
	if err != nil {
		return nil, err
	}
	if root.Get("$ref") != nil {
		// The API takes nothing beside a $ref, so a root cannot be one and say its type.
		if root, err = schema.Inline(root); err != nil {
			return nil, err
		}
	}
	if err := objectRoot(root); err != nil {
		return nil, err
	}
	return root.Append(nil), nil
}

// objectRoot makes the root say type object where it leaves that open.
func objectRoot(root *schema.Node) error {
	kind := root.Get("type")
	switch {
	case kind == nil:
		root.Members = append([]schema.Member{{Name: "type", Value: schema.String("object")}}, root.Members...)
		return nil
	case kind.Kind == schema.Array:
		for _, one := range kind.Items {
			if one.Is(`"object"`) {
				root.Set("type", schema.String("object"))
				return nil
			}
		}
	default:
		if text, ok := kind.Text(); ok && (text == "object" || text == "OBJECT") {
			root.Set("type", schema.String("object"))
			return nil
		}
	}
	return errors.New("schema must be of 'type: \"object\"'")
}
