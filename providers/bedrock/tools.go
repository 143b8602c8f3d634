package bedrock

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// writeTools says the tools and the choice among them. Without tools there is nothing to choose,
// and a model that shall call none is given none, unless it has called before: the API wants
// tools declared beside calls.
func (r *request) writeTools() error {
	said := &r.req.ToolChoice
	if said.Mode == providers.ChoiceNone {
		if !r.calls {
			return nil
		}
		r.drop("tool_choice")
	}
	found := map[string]bool{}
	for i := range r.req.Tools {
		t := &r.req.Tools[i]
		param := fmt.Sprintf("tools[%d]", i)
		switch {
		case t.Type != "":
			return providers.Invalid(param+".type", fmt.Sprintf("tools of type '%s' are not offered by bedrock", t.Type))
		case t.Custom:
			return providers.Invalid(param, "free-form tools (type custom) are not offered by bedrock")
		case len(said.Allowed) > 0 && !slices.Contains(said.Allowed, t.Name):
			continue
		}
		found[t.Name] = true
		if err := r.tool(t, param); err != nil {
			return err
		}
	}
	for _, name := range append(slices.Clone(said.Allowed), said.Name) {
		if name != "" && !found[name] {
			return providers.Invalid("tool_choice", fmt.Sprintf("tool_choice names '%s', which is not among the tools", name))
		}
	}
	switch said.Mode {
	case providers.ChoiceAuto:
		r.choice = []byte(`{"auto":{}}`)
	case providers.ChoiceAny:
		r.choice = []byte(`{"any":{}}`)
	case providers.ChoiceTool:
		r.choice = append(providers.AppendString([]byte(`{"tool":{"name":`), providers.PlainToolName(said.Name)), "}}"...)
	case providers.ChoiceUnset, providers.ChoiceNone:
	}
	return nil
}

func (r *request) tool(t *providers.Tool, param string) error {
	schema := jsontext.Value(t.Schema)
	switch {
	case len(schema) == 0 || string(schema) == "null" || string(schema) == "{}":
		schema = jsontext.Value(`{"type":"object","properties":{}}`)
	case !schema.IsValid() || schema.Kind() != jsontext.KindBeginObject:
		return providers.Invalid(param+".function.parameters", fmt.Sprintf("the schema of function '%s' is not a JSON object", t.Name))
	}
	b := providers.AppendString(append(r.tools, `{"toolSpec":{"name":`...), providers.PlainToolName(t.Name))
	if t.Description != "" {
		b = providers.AppendString(append(b, `,"description":`...), t.Description)
	}
	b = append(append(append(b, `,"inputSchema":{"json":`...), schema...), '}')
	if t.Strict != nil && *t.Strict {
		b = append(b, `,"strict":true`...)
	}
	r.tools = r.mark(append(b, "}},"...), t.Cache)
	return nil
}
