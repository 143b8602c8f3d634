package anthropic_test

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

func TestGoverned(t *testing.T) {
	watch := providers.NewWatch(anthropic.Governed())
	tried := map[string]bool{}
	f := func(path string, effect providers.Effect, bodies ...string) {
		t.Helper()
		tried[path] = true
		for _, body := range bodies {
			var doc providers.Document
			if err := doc.Scan([]byte(body), watch); err != nil {
				t.Fatal(err)
			}
			if len(doc.Hits) == 0 || len(doc.Hits) > 1 && !strings.Contains(path, "container.") || doc.Hits[0].Rule.Path != path || doc.Hits[0].Rule.Effect != effect {
				t.Errorf("%s: %+v, want %s", body, doc.Hits, path)
			}
		}
	}
	f("tools.#.type", providers.ReachesNetwork, `{"tools":[{"name":"a"},{"type":"web_search_20250305"}]}`, `{"tools":[{"type":"code_execution_20260120"}]}`)
	f("tools.#.model", providers.NamesModel, `{"tools":[{"type":"custom","model":"claude-opus-4-8"}]}`)
	f("messages.#.content.#.source.file_id", providers.NamesObject, `{"messages":[{"content":[{"type":"image","source":{"type":"file","file_id":"file_1"}}]}]}`)
	f("messages.#.content.#.content.#.source.file_id", providers.NamesObject, `{"messages":[{"content":[{"content":[{"source":{"file_id":"file_1"}}]}]}]}`)
	f("messages.#.content.#.file_id", providers.NamesObject, `{"messages":[{"content":[{"type":"container_upload","file_id":"file_1"}]}]}`)
	f("messages.#.content.#.content.content.#.file_id", providers.NamesObject, `{"messages":[{"content":[{"type":"bash_code_execution_tool_result","content":{"content":[{"file_id":"file_1"}]}}]}]}`)
	f("system.#.source.file_id", providers.NamesObject, `{"system":[{"source":{"file_id":"file_1"}}]}`)
	f("messages.#.content.#.file.file_id", providers.NamesObject, `{"messages":[{"content":[{"type":"file","file":{"file_id":"file_1"}}]}]}`)
	f("web_search_options", providers.ReachesNetwork, `{"web_search_options":{}}`)
	f("service_tier", providers.ChangesPrice, `{"service_tier":"priority"}`, `{"service_tier":"flex"}`)
	for prefix, wrap := range map[string][2]string{"": {"{", "}"}, "extra_body.": {`{"extra_body":{`, "}}"}, "extra_body.anthropic.": {`{"extra_body":{"anthropic":{`, "}}}"}} {
		in := func(member string) string { return wrap[0] + member + wrap[1] }
		f(prefix+"fallbacks", providers.NamesModel, in(`"fallbacks":[{"model":"claude-opus-5"}]`), in(`"fallbacks":"default"`))
		f(prefix+"speed", providers.ChangesPrice, in(`"speed":"fast"`))
		f(prefix+"inference_geo", providers.ChangesPrice, in(`"inference_geo":"us"`))
		f(prefix+"mcp_servers", providers.ReachesNetwork, in(`"mcp_servers":[{"type":"url","url":"https://x"}]`))
		f(prefix+"container", providers.NamesObject, in(`"container":"c1"`), in(`"container":{"skills":[]}`))
		f(prefix+"container.skills.#.skill_id", providers.NamesObject, in(`"container":{"skills":[{"type":"custom","skill_id":"skill_01"}]}`))
	}
	for _, g := range anthropic.Governed() {
		if !tried[g.Path] {
			t.Errorf("%s has no test", g.Path)
		}
	}
	var doc providers.Document
	free := `{"speed":"standard","inference_geo":"global","container":null,"tools":[{"type":"custom"},{"type":"bash_20250124"},{"name":"a"}]}`
	if err := doc.Scan([]byte(free), watch); err != nil || len(doc.Hits) != 0 {
		t.Errorf("%v %+v", err, doc.Hits)
	}
}
