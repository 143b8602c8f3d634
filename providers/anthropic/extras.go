package anthropic

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// mcpBeta is what the API wants named where the model may use MCP servers.
const mcpBeta = "mcp-client-2025-11-20"

// ownFields are the request's members that a client may write in Anthropic's words whatever
// its own language is, with the feature that the API wants named for them. Governed knows them
// all that do something behind the gateway's back.
var ownFields = []struct{ name, beta string }{
	{"cache_control", ""},
	{"container", ""},
	{"context_management", "context-management-2025-06-27"},
	{"fallbacks", ""},
	{"inference_geo", ""},
	{"mcp_servers", mcpBeta},
	{"speed", "fast-mode-2026-02-01"},
}

// own gives an extra's name in Anthropic's words; found is false where it has none.
func own(e *providers.Extra) (name string, found bool) {
	name = strings.TrimPrefix(strings.TrimPrefix(e.Name, "extra_body."), "anthropic.")
	return name, e.Owner == Language
}

// readExtras takes the extras that later steps build on, and refuses what must not be lost.
func (w *writer) readExtras() error {
	for i := range w.req.Extras {
		e := &w.req.Extras[i]
		name, mine := own(e)
		switch {
		case mine && name == "thinking":
			if !gjson.ParseBytes(e.Value).IsObject() {
				return providers.Invalid(e.Name, "'thinking' must be an object")
			}
			if w.call.Can.NoThinking {
				w.drop(e.Name)
				continue
			}
			w.thinking.raw = e.Value
		case mine && name == "output_config":
			config := gjson.ParseBytes(e.Value)
			if !config.IsObject() {
				return providers.Invalid(e.Name, "'output_config' must be an object")
			}
			config.ForEach(func(k, v gjson.Result) bool {
				w.setConfig(k.String(), []byte(v.Raw))
				return true
			})
		case e.Owner == "openai" && e.Name == "audio",
			e.Owner == "openai" && e.Name == "modalities" && slices.Contains(texts(e.Value), "audio"):
			return providers.Invalid(e.Name, "anthropic makes no audio")
		}
	}
	return nil
}

func texts(raw []byte) []string {
	var list []string
	gjson.ParseBytes(raw).ForEach(func(_, v gjson.Result) bool {
		list = append(list, v.String())
		return true
	})
	return list
}

// writeExtras passes Anthropic's own fields and names the others as dropped.
func (w *writer) writeExtras() {
	for i := range w.req.Extras {
		e := &w.req.Extras[i]
		name, mine := own(e)
		at := slices.IndexFunc(ownFields, func(f struct{ name, beta string }) bool { return f.name == name })
		switch {
		case mine && (name == "thinking" || name == "output_config"):
		case mine && at >= 0 && !w.wroteExtra(i, name):
			if w.field(name) {
				w.body = append(w.body, e.Value...)
				if name == "cache_control" {
					w.fixed++
				}
				if beta := ownFields[at].beta; beta != "" {
					w.beta(beta)
				}
			}
		case harmless(e):
		default:
			w.drop(e.Name)
		}
	}
	for _, name := range w.req.Unread {
		w.drop(name)
	}
}

// wroteExtra reports whether an earlier extra says the same field in another spelling.
func (w *writer) wroteExtra(i int, name string) bool {
	return slices.ContainsFunc(w.req.Extras[:i], func(e providers.Extra) bool {
		earlier, mine := own(&e)
		return mine && earlier == name
	})
}

// harmless reports a field that asks for nothing beyond what the API does anyway.
func harmless(e *providers.Extra) bool {
	if e.Owner != "openai" {
		return false
	}
	switch v := string(e.Value); e.Name {
	case "web_search_options": // a tool
		return true
	case "modalities":
		return !slices.ContainsFunc(texts(e.Value), func(m string) bool { return m != "text" })
	case "store":
		return v == "false"
	case "logit_bias":
		return v == "{}"
	}
	return false
}

// webSearch says OpenAI's web_search_options as Anthropic's own search tool.
// Source: https://docs.claude.com/en/docs/agents-and-tools/tool-use/web-search-tool
func (w *writer) webSearch() (*providers.Tool, error) {
	for i := range w.req.Extras {
		e := &w.req.Extras[i]
		if e.Owner != "openai" || e.Name != "web_search_options" {
			continue
		}
		ask := gjson.ParseBytes(e.Value)
		if !ask.IsObject() {
			return nil, providers.Invalid(e.Name, "'web_search_options' must be an object")
		}
		if size := ask.Get("search_context_size"); size.Exists() && size.String() != "medium" {
			w.drop("web_search_options.search_context_size")
		}
		return searchTool(ask.Get("user_location.approximate")), nil
	}
	return nil, nil
}

// searchTool is the API's own search, from where OpenAI's words say that the user is.
func searchTool(at gjson.Result) *providers.Tool {
	raw := []byte(`{"type":"web_search_20250305","name":"web_search"`)
	if at.IsObject() {
		raw = append(raw, `,"user_location":{"type":"approximate"`...)
		for _, name := range []string{"city", "region", "country", "timezone"} {
			if v := at.Get(name); v.Type == gjson.String {
				raw = providers.AppendString(append(append(append(raw, `,"`...), name...), `":`...), v.String())
			}
		}
		raw = append(raw, '}')
	}
	return &providers.Tool{Name: "web_search", Type: "web_search_20250305", Raw: append(raw, '}')}
}
