package catalog

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestKnown(t *testing.T) {
	for _, name := range Names() {
		p, ok := Known(name)
		if !ok || p.Name != name {
			t.Fatalf("Known(%q) = %q, %v", name, p.Name, ok)
		}
		if len(p.Env) == 0 {
			t.Errorf("%s names no environment variable for its key", name)
		}
		_, placed := cloudNamed(name)
		if placed {
			checkRoutes(t, p)
			continue
		}
		if u, err := url.Parse(p.BaseURL); err != nil || u.Scheme != "https" || u.Host == "" || strings.HasSuffix(p.BaseURL, "/") {
			t.Errorf("%s: base URL %q", name, p.BaseURL)
		}
		checkRoutes(t, p)
	}
	for model, p := range Mock("http://127.0.0.1:9100") {
		if p.Name != "mock" || !slices.Contains(p.Forward, "x-mock") || !Capabilities("mock", model).Known {
			t.Errorf("mock/%s: %+v", model, p)
		}
		checkRoutes(t, p)
	}
	for _, name := range []string{"", "mock", "Openai", "nobody"} {
		if _, ok := Known(name); ok {
			t.Errorf("Known(%q) finds a provider", name)
		}
	}
}

func checkRoutes(t *testing.T, p providers.Provider) {
	t.Helper()
	if p.Sign == nil || p.OwnedBy == "" {
		t.Errorf("%s has no signer or owner", p.Name)
	}
	if _, ok := p.Routes[providers.OpChat]; !ok {
		t.Errorf("%s serves no chat", p.Name)
	}
	for op, routes := range p.Routes {
		for i := range routes {
			checkRoute(t, p.Name, op, &routes[i])
		}
		// Whatever is served is served to OpenAI's clients: by their own words, the hub or a pair.
		route, ok := p.Route(op, "openai", routes[0].Models)
		if pair := route.Pair; op == providers.OpEmbeddings && route.Language != "openai" &&
			(!ok || pair == nil || pair.Client != "openai" || pair.Write == nil || pair.Read == nil) {
			t.Errorf("%s: embeddings in %s want a pair", p.Name, route.Language)
		}
	}
}

func checkRoute(t *testing.T, name string, op providers.Op, route *providers.Route) {
	t.Helper()
	// What Google keeps stands at the endpoints' own paths.
	path := strings.HasPrefix(route.Path, "/") || route.Path == "" && (op == providers.OpFiles || op == providers.OpCachedContents)
	if route.Language == "" || !path || route.Dialect == nil || len(route.Governed) == 0 {
		t.Errorf("%s, %s: no language, path, dialect or governed fields: %+v", name, op, route)
	}
}

func TestKnown_contract(t *testing.T) {
	f := func(name, baseURL, header, chat string) {
		t.Helper()
		p, _ := Known(name)
		var r providers.UpstreamRequest
		p.Sign(&r, providers.Signing{Secret: "s3cret"})
		got := r.Headers[0].Name + ": " + r.Headers[0].Value
		if p.BaseURL != baseURL || got != header || p.Routes[providers.OpChat][0].Path != chat {
			t.Errorf("%s: %s, %s, %s", name, p.BaseURL, got, p.Routes[providers.OpChat][0].Path)
		}
	}
	f("openai", "https://api.openai.com/v1", "authorization: Bearer s3cret", "/chat/completions")
	f("anthropic", "https://api.anthropic.com", "x-api-key: s3cret", "/v1/messages")
	f("gemini", "https://generativelanguage.googleapis.com/v1beta", "x-goog-api-key: s3cret", "/models/{model}:generateContent")
	f("groq", "https://api.groq.com/openai/v1", "authorization: Bearer s3cret", "/chat/completions")
	f("huggingface", "https://router.huggingface.co/v1", "authorization: Bearer s3cret", "/chat/completions")
}

// What Known gives belongs to the caller: changing it must change nobody else's.
func TestKnown_fresh(t *testing.T) {
	a, _ := Known("groq")
	a.Quirks.Strip[0] = "changed"
	delete(a.Routes, providers.OpChat)
	b, _ := Known("groq")
	if b.Quirks.Strip[0] == "changed" || len(b.Routes) == len(a.Routes) {
		t.Error("two calls share data")
	}
}

func TestCompatible(t *testing.T) {
	quirks := providers.Quirks{Strip: []string{"store"}}
	for _, language := range Languages() {
		p, err := Compatible("mine", language, "http://10.0.0.7:8000/v1", quirks)
		if err != nil {
			t.Fatal(err)
		}
		if p.Routes[providers.OpChat][0].Language != language || p.BaseURL != "http://10.0.0.7:8000/v1" || !reflect.DeepEqual(p.Quirks, quirks) {
			t.Errorf("%s: %+v", language, p)
		}
		checkRoutes(t, p)
	}
	if _, err := Compatible("mine", "cohere", "http://10.0.0.7", quirks); err == nil || !strings.Contains(err.Error(), `unknown dialect "cohere"`) {
		t.Errorf("error %v", err)
	}
}

func TestWith(t *testing.T) {
	p, _ := Known("mistral")
	got := With(p, providers.Quirks{Strip: []string{"store", "n"}, Rename: map[string]string{"seed": "s"}, CallID: 12})
	if got.BaseURL != p.BaseURL || !got.Quirks.NoStreamUsage || p.Quirks.CallID != 9 || got.Quirks.CallID != 12 {
		t.Errorf("%+v", got)
	}
	if n := len(got.Quirks.Strip); n != len(p.Quirks.Strip)+1 || got.Quirks.Strip[n-1] != "n" {
		t.Errorf("strip %v", got.Quirks.Strip)
	}
	if want := map[string]string{"seed": "s", "max_completion_tokens": "max_tokens"}; !reflect.DeepEqual(got.Quirks.Rename, want) {
		t.Errorf("rename %v", got.Quirks.Rename)
	}
	if same := With(p, providers.Quirks{}); same.BaseURL != p.BaseURL || !reflect.DeepEqual(same.Quirks, p.Quirks) {
		t.Errorf("nothing to change changed %+v", same)
	}
}

func TestGoverned(t *testing.T) {
	f := func(body, path string, effect providers.Effect) {
		t.Helper()
		var d providers.Document
		if err := d.Scan([]byte(body), Governed()); err != nil {
			t.Fatal(err)
		}
		if path == "" {
			if len(d.Hits) > 0 {
				t.Errorf("%s: %s is not governed", body, d.Hits[0].Rule.Path)
			}
			return
		}
		for _, hit := range d.Hits {
			if hit.Rule.Path == path && hit.Rule.Effect == effect {
				return
			}
		}
		t.Errorf("%s: %s is not governed", body, path)
	}
	f(`{"compound_custom":{"models":{"answering_model":"x"}}}`, "compound_custom.models.*", providers.NamesModel)
	f(`{"compound_custom":{"tools":{"enabled_tools":["web_search"]}}}`, "compound_custom.tools", providers.ReachesNetwork)
	f(`{"search_settings":{"country":"x"}}`, "search_settings", providers.ReachesNetwork)
	f(`{"models":["a","b"]}`, "models", providers.NamesModel)
	f(`{"plugins":[{"id":"web"}]}`, "plugins", providers.ReachesNetwork)
	f(`{"preset":"p"}`, "preset", providers.NamesObject)
	f(`{"provider":{"order":["x"]}}`, "provider", providers.ChangesPrice)
	f(`{"mcp_servers":[{"url":"https://x"}]}`, "mcp_servers", providers.ReachesNetwork)
	f(`{"cachedContent":"cachedContents/1"}`, "cachedContent", providers.NamesObject)
	f(`{"service_tier":"priority"}`, "service_tier", providers.ChangesPrice)
	f(`{"tools":[{"type":"web_search_20250305"}]}`, "tools.#.type", providers.ReachesNetwork)
	f(`{"search_parameters":{"mode":"on"}}`, "search_parameters", providers.ReachesNetwork)
	f(`{"service_tier":"on_demand","messages":[{"role":"user","content":"models"}]}`, "", 0)
	f(`{"tools":[{"type":"function"},{"type":"bash_20250124"}]}`, "", 0)
}
