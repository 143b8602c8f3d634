package openai

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// toolJSON is one entry of tools.
type toolJSON struct {
	Type       string         `json:"type"`
	Function   *functionJSON  `json:"function"`
	Custom     *customJSON    `json:"custom"`
	Cache      *cacheJSON     `json:"cache_control"`
	Breakpoint jsontext.Value `json:"prompt_cache_breakpoint"`
	Rest       jsontext.Value `json:",embed"`
}

type functionJSON struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Parameters  jsontext.Value `json:"parameters"`
	Strict      *bool          `json:"strict"`
	Cache       *cacheJSON     `json:"cache_control"`
	Rest        jsontext.Value `json:",embed"`
}

type customJSON struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Format      jsontext.Value `json:"format"`
	Rest        jsontext.Value `json:",embed"`
}

func (r *reader) toolField(name string, raw []byte) error {
	switch name {
	case "tools":
		return r.tools(raw)
	case "functions":
		return r.functions(raw)
	case "tool_choice":
		return r.toolChoice(raw)
	case "function_call":
		return r.functionCall(raw)
	case "parallel_tool_calls":
		return Unmarshal(name, raw, &r.req.Parallel)
	}
	return r.format(raw)
}

func (r *reader) tools(raw []byte) error {
	var list []jsontext.Value
	if err := Unmarshal("tools", raw, &list); err != nil {
		return err
	}
	for i, v := range list {
		var t toolJSON
		path := fmt.Sprintf("tools[%d]", i)
		if err := Unmarshal(path, v, &t); err != nil {
			return err
		}
		tool, err := t.tool(path, v)
		if err != nil {
			return err
		}
		r.req.Tools = append(r.req.Tools, tool)
		r.unreadTool(&t)
	}
	return nil
}

func (t *toolJSON) tool(path string, raw []byte) (providers.Tool, error) {
	cache := cacheMark(t.Cache, t.Breakpoint)
	switch {
	case t.Function != nil && (t.Type == "function" || t.Type == ""):
		tool := t.Function.tool()
		if tool.Name == "" {
			return tool, Missing(path + ".function.name")
		}
		if cache != nil {
			tool.Cache = cache
		}
		return tool, nil
	case t.Custom != nil && t.Type == "custom":
		if t.Custom.Name == "" {
			return providers.Tool{}, Missing(path + ".custom.name")
		}
		return providers.Tool{
			Name: t.Custom.Name, Description: t.Custom.Description, Schema: present(t.Custom.Format), Custom: true, Cache: cache,
		}, nil
	case t.Type == "function", t.Type == "":
		return providers.Tool{}, Missing(path + ".function")
	case t.Type == "custom":
		return providers.Tool{}, Missing(path + ".custom")
	}
	return providers.Tool{Type: t.Type, Raw: clone(raw), Cache: cache}, nil
}

func (f *functionJSON) tool() providers.Tool {
	return providers.Tool{
		Name: f.Name, Description: f.Description, Schema: present(f.Parameters), Strict: f.Strict, Cache: cacheMark(f.Cache, nil),
	}
}

// functions reads the field that tools replaced.
func (r *reader) functions(raw []byte) error {
	var list []functionJSON
	if err := Unmarshal("functions", raw, &list); err != nil {
		return err
	}
	for i := range list {
		if list[i].Name == "" {
			return Missing(fmt.Sprintf("functions[%d].name", i))
		}
		r.req.Tools = append(r.req.Tools, list[i].tool())
		r.unread("functions", list[i].Rest)
	}
	return nil
}

// choiceJSON is tool_choice: a word or one of four objects.
type choiceJSON struct {
	word string
	object
}

type object struct {
	Type     string         `json:"type"`
	Name     string         `json:"name"`
	Function *functionJSON  `json:"function"`
	Custom   *customJSON    `json:"custom"`
	Allowed  *allowedJSON   `json:"allowed_tools"`
	Mode     string         `json:"mode"`
	Tools    []toolNameJSON `json:"tools"`
}

type allowedJSON struct {
	Mode  string         `json:"mode"`
	Tools []toolNameJSON `json:"tools"`
}

type toolNameJSON struct {
	Name     string        `json:"name"`
	Function *functionJSON `json:"function"`
	Custom   *customJSON   `json:"custom"`
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (c *choiceJSON) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case '"':
		return json.UnmarshalDecode(dec, &c.word)
	case '{':
		return json.UnmarshalDecode(dec, &c.object)
	}
	return want(dec, "one of a string or object")
}

func (r *reader) toolChoice(raw []byte) error {
	var c choiceJSON
	if err := Unmarshal("tool_choice", raw, &c); err != nil {
		return err
	}
	word := c.word
	if word == "" {
		word = c.Type
	}
	choice := &r.req.ToolChoice
	switch name := c.name(); {
	case word == "allowed_tools":
		return r.allowed(&c)
	case name != "":
		*choice = providers.ToolChoice{Mode: providers.ChoiceTool, Name: name}
		return nil
	}
	mode, ok := choiceMode(word)
	if !ok {
		return Refuse("tool_choice", "invalid_value",
			"Invalid value for 'tool_choice': expected 'none', 'auto', 'required', or an object that names a function, a custom tool or allowed tools.")
	}
	*choice = providers.ToolChoice{Mode: mode}
	return nil
}

// name gives the tool that is named, in OpenAI's form or, {"type":"tool","name"}, Anthropic's.
func (c *choiceJSON) name() string {
	switch {
	case c.Function != nil:
		return c.Function.Name
	case c.Custom != nil:
		return c.Custom.Name
	}
	return c.Name
}

func choiceMode(word string) (providers.ChoiceMode, bool) {
	switch word {
	case "auto":
		return providers.ChoiceAuto, true
	case "none":
		return providers.ChoiceNone, true
	case "required", "any": // any: Mistral, Anthropic
		return providers.ChoiceAny, true
	}
	return providers.ChoiceUnset, false
}

func (r *reader) allowed(c *choiceJSON) error {
	mode, tools := c.Mode, c.Tools
	if c.Allowed != nil {
		mode, tools = c.Allowed.Mode, c.Allowed.Tools
	}
	how, ok := choiceMode(mode)
	if !ok {
		return Refuse("tool_choice.allowed_tools.mode", "invalid_value",
			"Invalid value for 'tool_choice.allowed_tools.mode': expected 'auto' or 'required'.")
	}
	choice := providers.ToolChoice{Mode: how}
	for _, t := range tools {
		name := t.Name
		if t.Function != nil {
			name = t.Function.Name
		} else if t.Custom != nil {
			name = t.Custom.Name
		}
		if name != "" {
			choice.Allowed = append(choice.Allowed, name)
		}
	}
	r.req.ToolChoice = choice
	return nil
}

// functionCall reads the field that tool_choice replaced, and yields to it.
func (r *reader) functionCall(raw []byte) error {
	if !isNull(r.doc.Value("tool_choice")) {
		return nil
	}
	var c choiceJSON
	if err := Unmarshal("function_call", raw, &c); err != nil {
		return err
	}
	mode, ok := choiceMode(c.word)
	switch {
	case c.Name != "":
		r.req.ToolChoice = providers.ToolChoice{Mode: providers.ChoiceTool, Name: c.Name}
	case ok:
		r.req.ToolChoice = providers.ToolChoice{Mode: mode}
	default:
		return Refuse("function_call", "invalid_value", "Invalid value for 'function_call': expected 'none', 'auto', or an object that names a function.")
	}
	return nil
}

// Missing is the 400 for a field that must be said.
func Missing(path string) error {
	return Refuse(path, "missing_required_parameter", fmt.Sprintf("Missing required parameter: '%s'.", path))
}

// present gives a raw value, nil for null and absent.
func present(raw jsontext.Value) []byte {
	if isNull(raw) {
		return nil
	}
	return raw
}
