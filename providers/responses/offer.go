package responses

import (
	"fmt"
	"slices"
	"strings"

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
	c.name("tools")
	c.dst = append(c.dst, '[')
	for i := range c.req.Tools {
		t := &c.req.Tools[i]
		c.separate()
		if t.Cache != nil {
			c.drop("cache_control")
		}
		if err := c.tool(t, i); err != nil {
			return err
		}
	}
	if search != nil {
		c.separate()
		c.search(gjson.ParseBytes(search))
	}
	c.dst = append(c.dst, ']')
	return nil
}

// tool offers one. Where strict is not said the API takes it for true, and Chat and the others
// for false.
func (c *composer) tool(t *providers.Tool, i int) error {
	switch {
	case t.Type != "":
		return c.hosted(t, i)
	case t.Custom:
		c.dst = providers.AppendString(append(c.dst, `{"type":"custom","name":`...), t.Name)
		c.str("description", t.Description)
		if t.Schema != nil {
			c.name("format")
			c.dst = append(c.dst, ownFormat(t.Schema)...)
		}
	default:
		c.dst = providers.AppendString(append(c.dst, `{"type":"function","name":`...), t.Name)
		c.str("description", t.Description)
		c.name("parameters")
		c.dst = append(c.dst, orEmpty(t.Schema)...)
		strict := t.Strict != nil && *t.Strict
		c.boolean("strict", &strict)
	}
	c.dst = append(c.dst, '}')
	return nil
}

// hosted passes a tool of OpenAI's own as it was written, and says the search of others as it.
func (c *composer) hosted(t *providers.Tool, i int) error {
	switch {
	case slices.Contains(hosted, t.Type) && gjson.ValidBytes(t.Raw):
		c.dst = append(c.dst, t.Raw...)
	case strings.HasPrefix(t.Type, "web_search_20"), t.Type == "google_search", t.Type == "googleSearch":
		c.dst = append(c.dst, `{"type":"web_search"}`...)
	default:
		return openai.Refuse(fmt.Sprintf("tools[%d].type", i), "invalid_value",
			fmt.Sprintf("Invalid value: '%s'. The upstream has no tool of that type.", t.Type))
	}
	return nil
}

// search says Chat's web_search_options.
func (c *composer) search(options gjson.Result) {
	c.dst = append(c.dst, `{"type":"web_search"`...)
	c.str("search_context_size", options.Get("search_context_size").Str)
	if at := options.Get("user_location.approximate"); at.IsObject() {
		c.dst = append(c.dst, `,"user_location":{"type":"approximate"`...)
		for _, name := range []string{"city", "country", "region", "timezone"} {
			c.str(name, at.Get(name).Str)
		}
		c.dst = append(c.dst, '}')
	}
	c.dst = append(c.dst, '}')
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
		c.dst = providers.AppendString(append(c.dst, `{"type":"allowed_tools","mode":`...), word)
		c.dst = append(c.dst, `,"tools":[`...)
		for _, name := range choice.Allowed {
			c.separate()
			c.named(name)
		}
		c.dst = append(c.dst, "]}"...)
	default:
		c.str("tool_choice", word)
	}
	return nil
}

func (c *composer) named(name string) {
	kind := "function"
	for i := range c.req.Tools {
		if t := &c.req.Tools[i]; t.Name == name && t.Custom {
			kind = "custom"
		}
	}
	c.dst = append(append(append(c.dst, `{"type":"`...), kind...), `","name":`...)
	c.dst = append(providers.AppendString(c.dst, name), '}')
}
