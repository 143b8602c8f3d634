package gemini_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestGoverned(t *testing.T) {
	watch := providers.NewWatch(gemini.Governed())
	f := func(body string, want providers.Effect) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(body), watch); err != nil {
			t.Fatal(err)
		}
		switch {
		case want == 0 && len(doc.Hits) > 0:
			t.Errorf("%s is governed by %s", body, doc.Hits[0].Rule.Path)
		case want != 0 && (len(doc.Hits) != 1 || doc.Hits[0].Rule.Effect != want):
			t.Errorf("%s: %d hits, want one that %s", body, len(doc.Hits), want)
		}
	}
	f(`{"service_tier":"flex"}`, providers.ChangesPrice)
	f(`{"serviceTier":"priority"}`, providers.ChangesPrice)
	f(`{"service_tier":"default","serviceTier":"standard"}`, 0)
	f(`{"web_search_options":{}}`, providers.ReachesNetwork)
	f(`{"tools":[{"type":"function"},{"type":"google_search"}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"googleSearch":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"google_search":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"googleSearchRetrieval":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"google_search_retrieval":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"urlContext":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"url_context":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"googleMaps":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"google_maps":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"codeExecution":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"code_execution":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"computerUse":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"computer_use":{}}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"mcpServers":[]}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"mcp_servers":[]}]}`, providers.ReachesNetwork)
	f(`{"tools":[{"fileSearch":{}}]}`, providers.NamesObject)
	f(`{"tools":[{"file_search":{}}]}`, providers.NamesObject)
	f(`{"cachedContent":"cachedContents/x"}`, providers.NamesObject)
	f(`{"cached_content":"cachedContents/x"}`, providers.NamesObject)
	f(`{"extra_body":{"cached_content":"x"}}`, providers.NamesObject)
	f(`{"extra_body":{"cachedContent":"x"}}`, providers.NamesObject)
	f(`{"extra_body":{"google":{"cached_content":"x"}}}`, providers.NamesObject)
	f(`{"extra_body":{"google":{"cachedContent":"x"}}}`, providers.NamesObject)
	f(`{"extra_body":{"gemini":{"cached_content":"x"}}}`, providers.NamesObject)
	f(`{"extra_body":{"gemini":{"cachedContent":"x"}}}`, providers.NamesObject)
	f(`{"contents":[{"parts":[{"fileData":{"fileUri":"x"}}]}]}`, providers.NamesObject)
	f(`{"contents":[{"parts":[{"file_data":{"file_uri":"x"}}]}]}`, providers.NamesObject)
	f(`{"contents":{"parts":{"fileData":{"fileUri":"x"}}}}`, providers.NamesObject)
	f(`{"contents":[{"parts":[{"functionResponse":{"parts":[{"fileData":{"fileUri":"x"}}]}}]}]}`, providers.NamesObject)
	f(`{"generateContentRequest":{"contents":[{"parts":[{"fileData":{"fileUri":"x"}}]}]}}`, providers.NamesObject)
	f(`{"generate_content_request":{"cached_content":"x"}}`, providers.NamesObject)
	f(`{"generateContentRequest":{"tools":[{"googleSearch":{}}]}}`, providers.ReachesNetwork)
	f(`{"tools":{"google_search":{}}}`, providers.ReachesNetwork)
	f(`{"requests":[{"content":{"parts":[{"fileData":{"fileUri":"x"}}]}}]}`, providers.NamesObject)
	f(`{"content":{"parts":[{"fileData":{"fileUri":"x"}}]}}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"file":{"file_id":"files/x"}}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"image_url":{"url":"gs://b/x.png"}}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"image_url":"gs://b/x.png"}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"file_url":{"url":"gs://b/x.png"}}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"file_url":"gs://b/x.png"}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"file":{"file_data":"https://generativelanguage.googleapis.com/v1/files/x"}}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"image_url":{"url":"https://generativelanguage.googleapis.com/v1beta/files/x"}}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"input_audio":{"data":"https://generativelanguage.googleapis.com/v1beta/files/x"}}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"input_audio":"https://generativelanguage.googleapis.com/v1beta/files/x"}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"input_audio":{"data":"UklGRg=="}}]}]}`, 0)
	f(`{"messages":[{"audio":{"id":"files/x"}}]}`, providers.NamesObject)
	f(`{"messages":[{"images":[{"image_url":{"url":"gs://b/x.png"}}]}]}`, providers.NamesObject)
	f(`{"messages":[{"images":[{"image_url":"gs://b/x.png"}]}]}`, providers.NamesObject)
	f(`{"messages":[{"content":[{"image_url":{"url":"https://img.example/x.png"}},{"image_url":{"url":"data:image/png;base64,AA=="}}]}]}`, 0)
}

// A governed field counts in the spellings that the rules know, and in no other: what the watch
// does not see must not reach the upstream.
func TestGoverned_spellings(t *testing.T) {
	watch := providers.NewWatch(gemini.Governed())
	f := func(field, name string) {
		t.Helper()
		var doc providers.Document
		body := `{"model":"m","messages":[{"role":"user","content":"hi"}],` + field + `}`
		if err := doc.Scan([]byte(body), watch); err != nil {
			t.Fatal(err)
		}
		req, err := openai.Face{}.ReadRequest(&doc)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := gemini.Dialect{}.WriteRequest(req, &providers.Call{Doc: &doc, Model: "gemini-2.5-flash"})
		if err != nil {
			t.Fatal(err)
		}
		sent := strings.Contains(string(plan.Requests[0].Body), "cachedContents/secret")
		if seen := len(doc.Hits) > 0; sent != seen || sent == slices.Contains(plan.Dropped, name) {
			t.Errorf("%s: seen %t, sent %t, dropped %q", field, seen, sent, plan.Dropped)
		}
	}
	const value = `"cachedContents/secret"`
	for _, name := range []string{
		"cachedContent", "cached_content", "foo.cachedContent", "cached__content", "cachedContent_", "_cachedContent",
		"google.cachedContent", "extra_body.cachedContent",
	} {
		f(`"`+name+`":`+value, name)
		f(`"extra_body":{"`+name+`":`+value+`}`, "extra_body."+name)
		f(`"extra_body":{"google":{"`+name+`":`+value+`}}`, "extra_body.google."+name)
		f(`"extra_body":{"gemini":{"`+name+`":`+value+`}}`, "extra_body.gemini."+name)
		f(`"generation_config":{"`+name+`":`+value+`}`, "generation_config."+name)
	}
}
