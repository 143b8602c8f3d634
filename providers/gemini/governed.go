package gemini

import (
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/aistrale/aistrale/providers"
)

// Governed lists the fields of this language, and of OpenAI's requests that are translated into
// it, which name a stored object, reach a network or change the price.
func Governed() []providers.Governed { return slices.Clip(governed()) }

// governed is made once: every reload wants it for each route.
var governed = sync.OnceValue(listGoverned)

func listGoverned() []providers.Governed {
	list := []providers.Governed{
		{Path: "service_tier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "standard"}},
		{Path: "serviceTier", Effect: providers.ChangesPrice, Except: []string{"auto", "default", "standard"}},
		{Path: "web_search_options", Effect: providers.ReachesNetwork},
		{Path: "tools.#.type", Effect: providers.ReachesNetwork, Except: []string{"function", "custom"}},
		{Path: "messages.#.content.#.file.file_id", Effect: providers.NamesObject},
		{Path: "messages.#.audio.id", Effect: providers.NamesObject, Shared: true},
	}
	for _, at := range parts() {
		for _, name := range []string{"fileData", "file_data"} {
			list = append(list, providers.Governed{Path: at + "." + name, Effect: providers.NamesObject, Members: uriNames(), ID: objectID})
		}
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
		for _, at := range append(requests(), "extra_body.", "extra_body.google.", "extra_body.gemini.") {
			list = append(list, providers.Governed{Path: at + name, Effect: providers.NamesObject})
		}
	}
	for _, name := range []string{
		"googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "urlContext", "url_context",
		"googleMaps", "google_maps", "codeExecution", "code_execution", "computerUse", "computer_use", "mcpServers", "mcp_servers",
	} {
		list = append(list, tool(name, providers.ReachesNetwork)...)
	}
	for _, name := range []string{"fileSearch", "file_search"} {
		list = append(list, tool(name, providers.NamesObject)...)
	}
	return list
}

// requests are where a request may stand: countTokens has one in a member of its own.
func requests() []string { return []string{"", "generateContentRequest.", "generate_content_request."} }

// tool lists the places of one of the API's own tools. It takes a list's only item without the list.
func tool(name string, effect providers.Effect) []providers.Governed {
	var list []providers.Governed
	for _, at := range requests() {
		for _, tools := range []string{"tools.#.", "tools."} {
			list = append(list, providers.Governed{Path: at + tools + name, Effect: effect})
		}
	}
	return list
}

// parts lists where parts stand: of what is said, and of the results of calls in it.
func parts() []string {
	contents := []string{"content", "requests.#.content", "requests.content"}
	for _, at := range requests() {
		contents = append(contents, at+"contents.#", at+"contents")
	}
	var list []string
	for _, at := range contents {
		for _, part := range []string{at + ".parts.#", at + ".parts"} {
			list = append(list, part)
			for _, result := range []string{".functionResponse", ".function_response"} {
				list = append(list, part+result+".parts.#", part+result+".parts")
			}
		}
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
