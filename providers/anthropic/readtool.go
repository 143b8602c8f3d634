package anthropic

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// toolJSON is one entry of tools.
type toolJSON struct {
	Type        string         `json:"type"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Schema      jsontext.Value `json:"input_schema"`
	Strict      *bool          `json:"strict"`
	Cache       *cacheJSON     `json:"cache_control"`
	Rest        jsontext.Value `json:",embed"`
}

func (r *reader) tools(raw []byte) error {
	var list []jsontext.Value
	if err := unmarshal("tools", raw, &list); err != nil {
		return err
	}
	for i, v := range list {
		var t toolJSON
		path := fmt.Sprintf("tools.%d", i)
		if err := unmarshal(path, v, &t); err != nil {
			return err
		}
		tool := providers.Tool{Name: t.Name, Description: t.Description, Strict: t.Strict, Cache: r.mark(t.Cache)}
		switch {
		case t.Type != "" && t.Type != "custom":
			tool = providers.Tool{Name: t.Name, Type: t.Type, Raw: clone(v), Cache: tool.Cache} // hosted, or of Anthropic's own making
		case t.Name == "":
			return required(path + ".custom.name")
		case len(t.Schema) == 0:
			return required(path + ".custom.input_schema")
		default:
			tool.Schema = t.Schema
			r.unread("tools", t.Rest)
		}
		r.req.Tools = append(r.req.Tools, tool)
	}
	return nil
}

func (r *reader) toolChoice(raw []byte) error {
	var said struct {
		Type   string         `json:"type"`
		Name   string         `json:"name"`
		Single bool           `json:"disable_parallel_tool_use"`
		Rest   jsontext.Value `json:",embed"`
	}
	if err := unmarshal("tool_choice", raw, &said); err != nil {
		return err
	}
	r.unread("tool_choice", said.Rest)
	choice := &r.req.ToolChoice
	switch said.Type {
	case "auto":
		choice.Mode = providers.ChoiceAuto
	case "any":
		choice.Mode = providers.ChoiceAny
	case "none":
		choice.Mode = providers.ChoiceNone
	case "tool":
		if said.Name == "" {
			return required("tool_choice.tool.name")
		}
		choice.Mode, choice.Name = providers.ChoiceTool, said.Name
	default:
		return wrong("tool_choice", fmt.Sprintf(
			"Input tag '%s' found using 'type' does not match any of the expected tags: 'auto', 'any', 'tool', 'none'", said.Type))
	}
	if said.Single {
		parallel := false
		r.req.Parallel = &parallel
	}
	return nil
}

type cacheJSON struct {
	Type string         `json:"type"`
	TTL  string         `json:"ttl"`
	Rest jsontext.Value `json:",embed"`
}

func (r *reader) mark(c *cacheJSON) *providers.CacheMark {
	if c == nil {
		return nil
	}
	r.unread("cache_control", c.Rest)
	return &providers.CacheMark{TTL: c.TTL}
}
