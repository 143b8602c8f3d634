package openai_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestGovernedFields(t *testing.T) {
	watch := providers.NewWatch(openai.Governed())
	seen := map[string]bool{}
	f := func(path string, effect providers.Effect, body string) {
		t.Helper()
		seen[path] = true
		var doc providers.Document
		if err := doc.Scan([]byte(body), watch); err != nil {
			t.Fatal(err)
		}
		for _, h := range doc.Hits {
			if h.Rule.Path == path && h.Rule.Effect == effect {
				return
			}
		}
		t.Errorf("%s: no hit of %s, got %d others", body, path, len(doc.Hits))
	}
	const model, price, network, object = providers.NamesModel, providers.ChangesPrice, providers.ReachesNetwork, providers.NamesObject
	f("web_search_options", network, `{"web_search_options":{}}`)
	f("tools.#.type", network, `{"tools":[{"type":"function"},{"type":"web_search"}]}`)
	f("tools.#.server_url", network, `{"tools":[{"type":"mcp","server_url":"https://x"}]}`)
	f("messages.#.content.#.file.file_id", object, `{"messages":[{"content":[{"type":"file","file":{"file_id":"f"}}]}]}`)
	f("messages.#.content.#.image_url.file_id", object, `{"messages":[{"content":[{"image_url":{"file_id":"f"}}]}]}`)
	f("messages.#.audio.id", object, `{"messages":[{"role":"assistant","audio":{"id":"a"}}]}`)
	f("audio.voice.id", object, `{"audio":{"voice":{"id":"v"}}}`)
	f("previous_response_id", object, `{"previous_response_id":"r"}`)
	f("conversation", object, `{"conversation":{"id":"c"}}`)
	f("prompt.id", object, `{"prompt":{"id":"p"}}`)
	f("service_tier", price, `{"service_tier":"priority"}`)
	f("prompt_cache_retention", price, `{"prompt_cache_retention":"24h"}`)
	f("prompt_cache_options.ttl", price, `{"prompt_cache_options":{"ttl":"24h"}}`)
	f("moderation.model", model, `{"moderation":{"model":"m"}}`)
	f("images.#.file_id", object, `{"images":[{"file_id":"f"}]}`)
	f("mask.file_id", object, `{"mask":{"file_id":"f"}}`)
	f("voice.id", object, `{"voice":{"id":"v"}}`)
	f("url", network, `{"url":"https://x"}`)
	f("file", network, `{"file":"https://x"}`)
	f("file_url", network, `{"file_url":"https://x"}`)
	f("image_url", network, `{"image_url":"https://x"}`)
	f("reference_images", network, `{"reference_images":["https://x"]}`)
	f("image_loras", network, `{"image_loras":[{"path":"https://x","scale":1}]}`)
	f("compound_custom.models.*", model, `{"compound_custom":{"models":{"answering_model":"m"}}}`)
	f("compound_custom.tools", network, `{"compound_custom":{"tools":{"enabled_tools":[]}}}`)
	f("search_settings", network, `{"search_settings":{"include_domains":[]}}`)
	f("documents.#.source.url", network, `{"documents":[{"source":{"url":"https://x"}}]}`)
	f("models", model, `{"models":["a","b"]}`)
	f("fallbacks", model, `{"fallbacks":["a"]}`)
	f("route", price, `{"route":"fallback"}`)
	f("preset", object, `{"preset":"p"}`)
	f("provider", price, `{"provider":{"order":["x"]}}`)
	f("plugins", network, `{"plugins":[{"id":"web"}]}`)
	f("safety_model", model, `{"safety_model":"m"}`)
	f("search_parameters", network, `{"search_parameters":{}}`)
	f("web_search", network, `{"web_search":true}`)
	f("file_id", object, `{"file_id":"f"}`)
	f("file_ids", object, `{"file_ids":["f"]}`)
	f("files.#.file_id", object, `{"files":[{"file_id":"f"}]}`)
	f("input_file_id", object, `{"input_file_id":"f"}`)
	f("input.#.content.#.file_id", object, `{"input":[{"content":[{"type":"input_file","file_id":"f"}]}]}`)
	f("input.#.output.#.file_id", object, `{"input":[{"output":[{"type":"input_image","file_id":"f"}]}]}`)
	f("input.#.file_id", object, `{"input":[{"type":"input_image","file_id":"f"}]}`)
	f("items.#.content.#.file_id", object, `{"items":[{"content":[{"type":"input_file","file_id":"f"}]}]}`)
	f("items.#.output.#.file_id", object, `{"items":[{"output":[{"type":"input_file","file_id":"f"}]}]}`)
	f("tools.#.vector_store_ids", object, `{"tools":[{"type":"file_search","vector_store_ids":["vs"]}]}`)
	f("tools.#.input_image_mask.file_id", object, `{"tools":[{"type":"image_generation","input_image_mask":{"file_id":"f"}}]}`)
	f("tools.#.container", object, `{"tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["f"]}}]}`)
	f("models", model, `{"m\u006fdels":["a"]}`) // an escaped name is the same name
	for _, rule := range openai.Governed() {
		if !seen[rule.Path] {
			t.Errorf("%s has no case", rule.Path)
		}
	}
}

func TestFieldsThatAreNotGoverned(t *testing.T) {
	watch := providers.NewWatch(openai.Governed())
	f := func(body string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(body), watch); err != nil {
			t.Fatal(err)
		}
		for _, h := range doc.Hits {
			t.Errorf("%s: hit %s", body, h.Rule.Path)
		}
	}
	f(`{"service_tier":"auto","tools":[{"type":"function","function":{"name":"models"}},{"type":"custom"}],"models":null}`)
	f(`{"service_tier":"default","prompt":"hi","messages":[{"content":"models","audio":null}],"store":true,"user":"u"}`)
	f(`{"service_tier":"on_demand","response_format":{"type":"json_schema"},"metadata":{"models":"a","provider":"b"}}`)
}
