package openai

import (
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/providers"
)

// tools offers functions and custom tools, those that the choice allows: few servers know a choice
// among some. A hosted tool of another provider cannot be said.
func (c *composer) tools() error {
	if len(c.req.Tools) == 0 {
		return nil
	}
	c.Name("tools")
	c.Dst = append(c.Dst, '[')
	for i := range c.req.Tools {
		t := &c.req.Tools[i]
		if t.Type != "" {
			return Refuse(fmt.Sprintf("tools[%d].type", i), "invalid_value",
				fmt.Sprintf("Invalid value: '%s'. The upstream takes tools of the types 'function' and 'custom'.", t.Type))
		}
		if allowed := c.req.ToolChoice.Allowed; len(allowed) > 0 && !slices.Contains(allowed, t.Name) {
			continue
		}
		if t.Cache != nil {
			c.Drop("cache_control")
		}
		c.Separate()
		kind, schema := "function", "parameters"
		if t.Custom {
			if c.custom == nil {
				c.custom = map[string]bool{}
			}
			c.custom[t.Name] = true
			kind, schema = "custom", "format"
		}
		c.Dst = append(append(append(c.Dst, `{"type":"`...), kind...), `","`...)
		c.Dst = providers.AppendString(append(append(c.Dst, kind...), `":{"name":`...), providers.PlainToolName(t.Name))
		c.Str("description", t.Description)
		if t.Schema != nil {
			c.Name(schema)
			c.Dst = append(c.Dst, t.Schema...)
		}
		strict, lost := Strict(t.Strict, t.Schema)
		if lost {
			c.Drop("tools.function.strict")
		}
		c.Boolean("strict", strict)
		c.Dst = append(c.Dst, "}}"...)
	}
	c.Dst = append(c.Dst, ']')
	return nil
}

func (c *composer) choice() error {
	if mode := c.req.ToolChoice.Mode; len(c.req.Tools) == 0 && mode != providers.ChoiceAny && mode != providers.ChoiceTool {
		return nil // the API takes neither without tools
	}
	choice := c.req.ToolChoice
	for _, name := range choice.Allowed {
		if !slices.ContainsFunc(c.req.Tools, func(t providers.Tool) bool { return t.Name == name }) {
			return Refuse("tool_choice", "invalid_value", fmt.Sprintf("Invalid value for 'tool_choice': '%s' is not among the tools.", name))
		}
	}
	choice.Allowed = nil
	c.Choice(&choice, c.named)
	c.Boolean("parallel_tool_calls", c.req.Parallel)
	return nil
}

// named is the object that names one tool.
func (c *composer) named(name string) {
	kind := "function"
	if c.custom[name] {
		kind = "custom"
	}
	c.Dst = append(append(append(c.Dst, `{"type":"`...), kind...), `","`...)
	c.Dst = append(providers.AppendString(append(append(c.Dst, kind...), `":{"name":`...), providers.PlainToolName(name)), "}}"...)
}

func (c *composer) format() error {
	f := &c.req.Format
	switch f.Kind {
	case providers.FormatUnset:
	case providers.FormatText:
		c.Dst = append(c.Dst, `,"response_format":{"type":"text"}`...)
	case providers.FormatJSON:
		c.Dst = append(c.Dst, `,"response_format":{"type":"json_object"}`...)
	case providers.FormatSchema:
		name := f.Name
		if name == "" {
			name = "response"
		}
		c.Dst = providers.AppendString(append(c.Dst, `,"response_format":{"type":"json_schema","json_schema":{"name":`...), name)
		c.Str("description", f.Description)
		if f.Schema != nil {
			c.Name("schema")
			c.Dst = append(c.Dst, f.Schema...)
		}
		strict, lost := Strict(f.Strict, f.Schema)
		if lost {
			c.Drop("response_format.json_schema.strict")
		}
		c.Boolean("strict", strict)
		c.Dst = append(c.Dst, "}}"...)
	}
	return nil
}
