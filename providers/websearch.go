package providers

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// WebSearch reports the types under which languages have a search of the web that the provider
// itself runs: OpenAI's, with or without the day of its version, Anthropic's and Google's.
func WebSearch(tool string) bool {
	switch tool {
	case "web_search", "web_search_preview", "google_search", "googleSearch":
		return true
	}
	return strings.HasPrefix(tool, "web_search_20") || strings.HasPrefix(tool, "web_search_preview_20")
}

// LostOptions names what a client said of a hosted tool beyond its type, its name and what is told.
func (t *Tool) LostOptions(told ...string) (names []string) {
	gjson.ParseBytes(t.Raw).ForEach(func(name, value gjson.Result) bool {
		switch name.Str {
		case "type", "name", "cache_control":
		default:
			if value.Type != gjson.Null && !slices.Contains(told, name.Str) {
				names = append(names, "tools."+name.Str)
			}
		}
		return true
	})
	return names
}
