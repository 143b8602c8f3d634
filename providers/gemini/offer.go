package gemini

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// choosing is functionCallingConfig, which counts only where there are functions to choose from.
type choosing struct {
	mode    string
	allowed []string
}

// tool reads one entry of tools: functions, or one of the API's own tools, whose name is its type.
// Source: https://ai.google.dev/api/caching#Tool
func (r *reader) tool(path string, v gjson.Result) error {
	return object(v, path, func(name, path string, v gjson.Result) error {
		if name == "functionDeclarations" {
			return list(v, path, r.declaration)
		}
		if !v.IsObject() && !v.IsArray() {
			return wrong(path, "an object")
		}
		r.req.Tools = append(r.req.Tools, providers.Tool{Type: name, Raw: []byte(v.Raw)})
		return nil
	})
}

func (r *reader) declaration(path string, v gjson.Result) error {
	var t providers.Tool
	err := object(v, path, func(name, path string, v gjson.Result) error {
		switch name {
		case "name":
			return text(v, path, &t.Name)
		case "description":
			return text(v, path, &t.Description)
		case "parametersJsonSchema":
			t.Schema = []byte(v.Raw)
			return nil
		case "parameters":
			schema, err := modernSchema([]byte(v.Raw))
			if err != nil {
				return providers.Invalid(path, fmt.Sprintf("Invalid value at '%s': %v.", path, err))
			}
			t.Schema = schema
			return nil
		}
		r.unread(path) // response, behavior
		return nil
	})
	if err != nil {
		return err
	}
	if t.Name == "" {
		return wrong(path+".name", "a name")
	}
	r.req.Tools = append(r.req.Tools, t)
	return nil
}

func (r *reader) toolConfig(name, path string, v gjson.Result) error {
	if name != "functionCallingConfig" {
		r.unread(path)
		return nil
	}
	return object(v, path, func(name, path string, v gjson.Result) error {
		switch name {
		case "mode":
			return text(v, path, &r.tools.mode)
		case "allowedFunctionNames":
			return list(v, path, func(path string, v gjson.Result) error {
				var one string
				err := text(v, path, &one)
				r.tools.allowed = append(r.tools.allowed, one)
				return err
			})
		}
		r.unread(path)
		return nil
	})
}

// choose says the choice among the functions.
func (r *reader) choose() {
	if !slices.ContainsFunc(r.req.Tools, func(t providers.Tool) bool { return t.Type == "" }) {
		return
	}
	to := &r.req.ToolChoice
	switch r.tools.mode {
	case "AUTO":
		to.Mode = providers.ChoiceAuto
	case "NONE":
		to.Mode = providers.ChoiceNone
	case "VALIDATED":
		to.Mode, to.Allowed = providers.ChoiceAuto, r.tools.allowed
	case "ANY":
		to.Mode = providers.ChoiceAny
		if len(r.tools.allowed) == 1 {
			to.Mode, to.Name = providers.ChoiceTool, r.tools.allowed[0]
			return
		}
		to.Allowed = r.tools.allowed
	}
}
