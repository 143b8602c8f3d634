package responses

import (
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// hosted are the tools of OpenAI's own, as far as they need nothing of the client but their type.
var hosted = []string{
	"web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11", "file_search", "code_interpreter",
	"image_generation", "mcp",
}

// tools offers functions, custom tools and OpenAI's own.
func (c *composer) tools() error {
	search := c.extra("web_search_options")
	if len(c.req.Tools) == 0 && search == nil {
		return nil
	}
	c.Name("tools")
	c.Dst = append(c.Dst, '[')
	for i := range c.req.Tools {
		t := &c.req.Tools[i]
		c.Separate()
		if t.Cache != nil {
			c.Drop("cache_control")
		}
		if err := c.tool(t, i); err != nil {
			return err
		}
	}
	if search != nil {
		c.Separate()
		c.search(gjson.ParseBytes(search))
	}
	c.Dst = append(c.Dst, ']')
	return nil
}

// tool offers one. Where strict is not said the API takes it for true, and Chat and the others
// for false.
func (c *composer) tool(t *providers.Tool, i int) error {
	switch {
	case t.Type != "":
		return c.hosted(t, i)
	case t.Custom:
		c.Dst = providers.AppendString(append(c.Dst, `{"type":"custom","name":`...), providers.PlainToolName(t.Name))
		c.Str("description", t.Description)
		if t.Schema != nil {
			c.Name("format")
			c.Dst = append(c.Dst, ownFormat(t.Schema)...)
		}
	default:
		c.Dst = providers.AppendString(append(c.Dst, `{"type":"function","name":`...), providers.PlainToolName(t.Name))
		c.Str("description", t.Description)
		c.Name("parameters")
		c.Dst = append(c.Dst, orEmpty(t.Schema)...)
		strict, lost := openai.Strict(t.Strict, t.Schema)
		if lost {
			c.Drop("tools.function.strict")
		}
		held := strict != nil && *strict
		c.Boolean("strict", &held)
	}
	c.Dst = append(c.Dst, '}')
	return nil
}

// hosted passes a tool of OpenAI's own as it was written, and says the search of others as it.
func (c *composer) hosted(t *providers.Tool, i int) error {
	switch {
	case slices.Contains(hosted, t.Type) && gjson.ValidBytes(t.Raw):
		c.Dst = append(c.Dst, t.Raw...)
	case providers.WebSearch(t.Type):
		for _, name := range t.LostOptions("user_location") {
			c.Drop(name)
		}
		c.Dst = append(c.Dst, `{"type":"web_search"`...)
		if at := gjson.GetBytes(t.Raw, "user_location"); at.IsObject() {
			c.Name("user_location")
			c.Dst = append(c.Dst, at.Raw...)
		}
		c.Dst = append(c.Dst, '}')
	default:
		return openai.Refuse(fmt.Sprintf("tools[%d].type", i), "invalid_value",
			fmt.Sprintf("Invalid value: '%s'. The upstream has no tool of that type.", t.Type))
	}
	return nil
}

// search says Chat's web_search_options.
func (c *composer) search(options gjson.Result) {
	c.Dst = append(c.Dst, `{"type":"web_search"`...)
	c.Str("search_context_size", options.Get("search_context_size").Str)
	if at := options.Get("user_location.approximate"); at.IsObject() {
		c.Dst = append(c.Dst, `,"user_location":{"type":"approximate"`...)
		for _, name := range []string{"city", "country", "region", "timezone"} {
			c.Str(name, at.Get(name).Str)
		}
		c.Dst = append(c.Dst, '}')
	}
	c.Dst = append(c.Dst, '}')
}

// ownFormat says a custom tool's format, which the hub has in Chat's words.
func ownFormat(format []byte) []byte {
	g := gjson.GetBytes(format, "grammar")
	if !g.IsObject() {
		return format
	}
	dst := providers.AppendString(append([]byte(nil), `{"type":"grammar","syntax":`...), g.Get("syntax").Str)
	return append(providers.AppendString(append(dst, `,"definition":`...), g.Get("definition").Str), '}')
}

func (c *composer) choice() error {
	for i := range c.req.Tools {
		if t := &c.req.Tools[i]; t.Type != "" && t.Name == c.req.ToolChoice.Name && c.req.ToolChoice.Mode == providers.ChoiceTool {
			c.Drop("tool_choice") // hosted tools have no names here
			return nil
		}
	}
	c.Choice(&c.req.ToolChoice, c.named)
	return nil
}

func (c *composer) named(name string) {
	kind := "function"
	for i := range c.req.Tools {
		if t := &c.req.Tools[i]; t.Name == name && t.Custom {
			kind = "custom"
		}
	}
	c.Dst = append(append(append(c.Dst, `{"type":"`...), kind...), `","name":`...)
	c.Dst = append(providers.AppendString(c.Dst, providers.PlainToolName(name)), '}')
}
