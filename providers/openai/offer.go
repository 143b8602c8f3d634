package openai

import (
	"fmt"

	"github.com/aistrale/aistrale/providers"
)

// tools offers functions and custom tools. A hosted tool of another provider cannot be said.
func (c *composer) tools() error {
	if len(c.req.Tools) == 0 {
		return nil
	}
	c.name("tools")
	c.dst = append(c.dst, '[')
	for i := range c.req.Tools {
		t := &c.req.Tools[i]
		if t.Type != "" {
			return Refuse(fmt.Sprintf("tools[%d].type", i), "invalid_value",
				fmt.Sprintf("Invalid value: '%s'. The upstream takes tools of the types 'function' and 'custom'.", t.Type))
		}
		if t.Cache != nil {
			c.drop("cache_control")
		}
		c.separate()
		kind, schema := "function", "parameters"
		if t.Custom {
			if c.custom == nil {
				c.custom = map[string]bool{}
			}
			c.custom[t.Name] = true
			kind, schema = "custom", "format"
		}
		c.dst = append(append(append(c.dst, `{"type":"`...), kind...), `","`...)
		c.dst = providers.AppendString(append(append(c.dst, kind...), `":{"name":`...), t.Name)
		c.str("description", t.Description)
		if t.Schema != nil {
			c.name(schema)
			c.dst = append(c.dst, t.Schema...)
		}
		c.boolean("strict", t.Strict)
		c.dst = append(c.dst, "}}"...)
	}
	c.dst = append(c.dst, ']')
	return nil
}

func (c *composer) choice() error {
	choice := &c.req.ToolChoice
	word := map[providers.ChoiceMode]string{
		providers.ChoiceAuto: "auto", providers.ChoiceNone: "none", providers.ChoiceAny: "required",
	}[choice.Mode]
	switch {
	case choice.Mode == providers.ChoiceTool:
		c.name("tool_choice")
		c.named(choice.Name)
	case len(choice.Allowed) > 0:
		c.name("tool_choice")
		c.dst = providers.AppendString(append(c.dst, `{"type":"allowed_tools","allowed_tools":{"mode":`...), word)
		c.dst = append(c.dst, `,"tools":[`...)
		for _, name := range choice.Allowed {
			c.separate()
			c.named(name)
		}
		c.dst = append(c.dst, "]}}"...)
	default:
		c.str("tool_choice", word)
	}
	c.boolean("parallel_tool_calls", c.req.Parallel)
	return nil
}

// named is the object that names one tool.
func (c *composer) named(name string) {
	kind := "function"
	if c.custom[name] {
		kind = "custom"
	}
	c.dst = append(append(append(c.dst, `{"type":"`...), kind...), `","`...)
	c.dst = append(providers.AppendString(append(append(c.dst, kind...), `":{"name":`...), name), "}}"...)
}

func (c *composer) format() error {
	f := &c.req.Format
	switch f.Kind {
	case providers.FormatUnset:
	case providers.FormatText:
		c.dst = append(c.dst, `,"response_format":{"type":"text"}`...)
	case providers.FormatJSON:
		c.dst = append(c.dst, `,"response_format":{"type":"json_object"}`...)
	case providers.FormatSchema:
		name := f.Name
		if name == "" {
			name = "response"
		}
		c.dst = providers.AppendString(append(c.dst, `,"response_format":{"type":"json_schema","json_schema":{"name":`...), name)
		c.str("description", f.Description)
		if f.Schema != nil {
			c.name("schema")
			c.dst = append(c.dst, f.Schema...)
		}
		c.boolean("strict", f.Strict)
		c.dst = append(c.dst, "}}"...)
	}
	return nil
}
