package gemini

import (
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/providers"
)

// declaration is a function as the API knows it.
type declaration struct {
	name, description string
	schema            []byte // nil where the function takes no arguments
}

// tools reads the tools and the choice among them. config is nil where nothing is to be said.
func (r *request) tools() (list []declaration, config []byte, err error) {
	named := map[string]bool{}
	for i := range r.req.Tools {
		t := &r.req.Tools[i]
		if t.Cache != nil {
			r.drop("cache_control")
		}
		param := fmt.Sprintf("tools[%d]", i)
		if t.Type != "" {
			if err := r.hostedTool(t, param); err != nil {
				return nil, nil, err
			}
			continue
		}
		d, err := r.declare(t, param)
		if err != nil {
			return nil, nil, err
		}
		if named[d.name] {
			return nil, nil, providers.Invalid(param, fmt.Sprintf("two functions have the name %q", t.Name))
		}
		named[d.name] = true
		list = append(list, d)
	}
	// The API refuses a choice where there is nothing to choose.
	if len(list) > 0 {
		config, err = r.choice(named)
	}
	return list, config, err
}

func (r *request) declare(t *providers.Tool, param string) (declaration, error) {
	if t.Custom {
		return declaration{}, providers.Invalid(param, "free-form tools (type custom) are not offered by this model's provider")
	}
	if t.Strict != nil && *t.Strict {
		r.drop("tools.function.strict")
	}
	name, err := encodeName(param+".function.name", t.Name)
	if err != nil {
		return declaration{}, err
	}
	schema, err := r.parameters(t.Schema)
	if err != nil {
		return declaration{}, providers.Invalid(param+".function.parameters", fmt.Sprintf("invalid schema for function '%s': %v", t.Name, err))
	}
	return declaration{name: name, description: t.Description, schema: schema}, nil
}

// hostedTool takes the tools of other languages that the API has its own form of.
func (r *request) hostedTool(t *providers.Tool, param string) error {
	switch {
	case providers.WebSearch(t.Type):
		r.host("googleSearch")
		for _, name := range t.LostOptions() {
			r.drop(name)
		}
	case t.Type == "url_context", t.Type == "urlContext":
		r.host("urlContext")
	case t.Type == "code_execution", t.Type == "codeExecution":
		r.host("codeExecution")
	default:
		return providers.Invalid(param+".type", fmt.Sprintf("tools of type '%s' are not offered by this model's provider", t.Type))
	}
	return nil
}

func (r *request) host(name string) {
	for _, have := range r.hosted {
		if have.get(name) != nil {
			return
		}
	}
	r.hosted = append(r.hosted, fields{{name, []byte("{}")}})
}

// choice says tool_choice. A choice between answering and some of the tools is mode VALIDATED:
// AUTO takes no list.
// Source: https://ai.google.dev/api/caching#FunctionCallingConfig
func (r *request) choice(tools map[string]bool) ([]byte, error) {
	said := r.req.ToolChoice
	mode, allowed := "", said.Allowed
	switch said.Mode {
	case providers.ChoiceUnset, providers.ChoiceAuto:
		mode = "AUTO"
		if len(allowed) > 0 {
			mode = "VALIDATED"
		} else if said.Mode == providers.ChoiceUnset {
			return nil, nil
		}
	case providers.ChoiceNone:
		mode, allowed = "NONE", nil
	case providers.ChoiceAny:
		mode = "ANY"
	case providers.ChoiceTool:
		if r.hosts(said.Name) {
			r.drop("tool_choice") // only functions can be chosen
			return nil, nil
		}
		mode, allowed = "ANY", []string{said.Name}
	}
	names, err := chosen(allowed, tools)
	if err != nil {
		return nil, err
	}
	var w body
	w.open('{')
	w.key("functionCallingConfig")
	w.open('{')
	w.field("mode", mode)
	if len(names) > 0 {
		w.rawField("allowedFunctionNames", quotedList(names))
	}
	w.shut('}')
	w.shut('}')
	return w.b, nil
}

// hosts reports a name that the client gave one of the provider's own tools.
func (r *request) hosts(name string) bool {
	return slices.ContainsFunc(r.req.Tools, func(t providers.Tool) bool { return t.Type != "" && t.Name == name })
}

func chosen(allowed []string, tools map[string]bool) ([]string, error) {
	names := make([]string, 0, len(allowed))
	for _, name := range allowed {
		native, err := encodeName("tool_choice", name)
		if err != nil {
			return nil, err
		}
		if !tools[native] {
			return nil, providers.Invalid("tool_choice", fmt.Sprintf("tool_choice names '%s', which is not among the tools", name))
		}
		names = append(names, native)
	}
	return names, nil
}

func (r *request) writeTools(w *body, list []declaration) {
	if len(list) == 0 && len(r.hosted) == 0 {
		return
	}
	w.key("tools")
	w.open('[')
	if len(list) > 0 {
		w.open('{')
		w.key("functionDeclarations")
		w.open('[')
		for _, d := range list {
			r.writeDeclaration(w, d)
		}
		w.shut(']')
		w.shut('}')
	}
	for _, tool := range r.hosted {
		tool.write(w)
	}
	w.shut(']')
}

func (r *request) writeDeclaration(w *body, d declaration) {
	w.open('{')
	w.field("name", d.name)
	if d.description != "" {
		w.field("description", d.description)
	}
	if d.schema != nil {
		name := "parametersJsonSchema"
		if r.call.Can.LegacySchema {
			name = "parameters"
		}
		w.rawField(name, d.schema)
	}
	w.shut('}')
}
