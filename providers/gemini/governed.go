package gemini

import (
	"net/url"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Governed lists the fields of this language, and of OpenAI's requests that are translated into
// it, which name a stored object, reach a network or change the price.
func Governed() []providers.Governed {
	list := []providers.Governed{
		{Path: "service_tier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "standard"}},
		{Path: "serviceTier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "standard"}},
		{Path: "web_search_options", Effect: providers.ReachesNetwork},
		{Path: "tools.#.type", Effect: providers.ReachesNetwork, Except: []string{"function", "custom"}},
		{Path: "messages.#.content.#.file.file_id", Effect: providers.NamesObject},
		{Path: "messages.#.audio.id", Effect: providers.NamesObject, Shared: true},
		{Path: "contents.#.parts.#.fileData", Effect: providers.NamesObject, Members: uriNames(), ID: objectID},
		{Path: "contents.#.parts.#.file_data", Effect: providers.NamesObject, Members: uriNames(), ID: objectID},
	}
	for _, at := range []string{
		"image_url.url", "image_url", "file_url.url", "file_url", "file.file_data", "input_audio.data", "input_audio",
	} {
		list = append(list, providers.Governed{
			Path: "messages.#.content.#." + at, Effect: providers.NamesObject, Prefix: objectPrefixes(), ID: objectID,
		})
	}
	for _, at := range []string{"url", ""} {
		list = append(list, providers.Governed{
			Path: strings.TrimSuffix("messages.#.images.#.image_url."+at, "."), Effect: providers.NamesObject, Prefix: objectPrefixes(), ID: objectID,
		})
	}
	for _, name := range []string{"cachedContent", "cached_content"} {
		for _, at := range []string{"", "extra_body.", "extra_body.google.", "extra_body.gemini."} {
			list = append(list, providers.Governed{Path: at + name, Effect: providers.NamesObject})
		}
	}
	for _, name := range []string{
		"googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "urlContext", "url_context",
		"googleMaps", "google_maps", "codeExecution", "code_execution", "computerUse", "computer_use", "mcpServers", "mcp_servers",
	} {
		list = append(list, providers.Governed{Path: "tools.#." + name, Effect: providers.ReachesNetwork})
	}
	for _, name := range []string{"fileSearch", "file_search"} {
		list = append(list, providers.Governed{Path: "tools.#." + name, Effect: providers.NamesObject})
	}
	return list
}

func uriNames() []string { return []string{"fileUri", "file_uri"} }

// objectID gives the name under which the Files API keeps what an address means ("files/abc"),
// "" where the address is elsewhere: nobody's upload.
func objectID(said string) string {
	u, err := url.Parse(strings.TrimSpace(said))
	if err != nil {
		return said
	}
	if u.Scheme == "" && u.Host == "" {
		return said // a bare name
	}
	if !strings.EqualFold(u.Hostname(), filesHost) {
		return ""
	}
	_, name, ok := strings.Cut(u.Path, "/files/")
	if !ok {
		return said
	}
	if end := strings.IndexAny(name, ":/"); end >= 0 {
		name = name[:end]
	}
	return "files/" + name
}
