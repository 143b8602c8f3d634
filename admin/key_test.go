package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func TestKeys(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		made := a.wants(201, a.root, "POST", "/keys", `{"name":"ci","models":["fast"],"settings":{"priority":3,"defaults":{"seed":12345678901234567890}}}`)
		text, id := made.field(t, "key").(string), made.field(t, "id").(string)
		if _, ok := storage.ParseKey(text); !ok || !strings.Contains(made.body, "12345678901234567890") {
			t.Fatalf("got %s", made.body)
		}
		a.wants(409, a.root, "POST", "/keys", `{"name":"ci"}`)
		for body, why := range map[string]string{
			`{"name":"x","settings":{"newer":1}}`:              "newer",
			`{"name":"x","models":["a b"]}`:                    "plain word",
			`{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`: "past",
			`{"name":"x","hash":"AAAA"}`:                       "body.hash",
			`{"name":"x","workspace":"other"}`:                 "body.workspace",
			`{"name":"x","settings":{"sticky":"always"}}`:      "sticky",
			`{"name":"x","revoked_at":"2020-01-01T00:00:00Z"}`: "body.revoked_at",
			`{"name":"x","settings":{"force":{"model":"y"}}}`:  "model",
		} {
			if got := a.ask(a.root, "POST", "/keys", body); got.status != 422 || !strings.Contains(got.body, why) {
				t.Errorf("%s: %d %s, want it to say %q", body, got.status, got.body, why)
			}
		}
		a.wants(404, a.root, "POST", "/keys?workspace=nowhere", `{"name":"x"}`)
		a.wants(404, a.root, "GET", "/keys/"+id+"?workspace=other", "")

		changed := a.wants(200, a.root, "PATCH", "/keys/"+id, `{"tags":["team=a"],"project":"search"}`, "If-Match", `"1"`)
		if !strings.Contains(changed.body, `"models":["fast"]`) || changed.header.Get("etag") != `"2"` {
			t.Errorf("got %s, ETag %s", changed.body, changed.header.Get("etag"))
		}
		a.wants(412, a.root, "PATCH", "/keys/"+id, `{"tags":[]}`, "If-Match", `"1"`)
		if list := a.wants(200, a.root, "GET", "/keys?project=search&state=active", ""); strings.Count(list.body, `"id"`) != 1 || strings.Contains(list.body, text) {
			t.Errorf("the list is %s", list.body)
		}
		a.rotated(text, id)
	})
}

// rotated rotates a key twice and revokes it.
func (a *testAPI) rotated(text, id string) {
	t := a.t
	t.Helper()
	rotated := a.wants(200, a.root, "POST", "/keys/"+id+"/rotate", `{"overlap_seconds":3600}`, "If-Match", "*")
	young := rotated.field(t, "key").(string)
	a.good(id, map[string]bool{text: true, young: true})
	a.clock = a.clock.Add(time.Hour)
	a.good(id, map[string]bool{text: false, young: true})
	again := a.wants(200, a.root, "POST", "/keys/"+id+"/rotate", `{}`, "If-Match", "*").field(t, "key").(string)
	a.good(id, map[string]bool{text: false, young: false, again: true})
	a.wants(204, a.root, "DELETE", "/keys/"+id, "", "If-Match", "*")
	a.wants(409, a.root, "PATCH", "/keys/"+id, `{"tags":[]}`, "If-Match", "*")
	if got := a.wants(200, a.root, "GET", "/keys/"+id, ""); got.field(t, "state") != "revoked" {
		t.Errorf("got %s", got.body)
	}
	a.wants(201, a.root, "POST", "/keys", `{"name":"ci"}`) // the name is free again
}

// good holds the store's key against texts, as the gateway does.
func (a *testAPI) good(id string, want map[string]bool) {
	a.t.Helper()
	keys, err := a.store.Keys(a.t.Context())
	do(a.t, err)
	for i := range keys {
		for text, good := range want {
			if keys[i].ID == id && keys[i].Matches([]byte(text), a.clock) != good {
				a.t.Errorf("a text is good: %t, want %t", !good, good)
			}
		}
	}
}

// Engineers make keys for themselves within what their workspace gives, and touch no other's.
func TestKeys_Own(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(200, a.root, "PUT", "/workspaces/default", `{"self_service":{"models":["anthropic/*","fast"],"allow":["speed"],"days":30}}`, "If-Match", "*")
		ada := a.user("ada", "default", storage.RoleEngineer)
		good := `"expires_at":"2026-12-01T00:00:00Z"`
		made := a.wants(201, ada, "POST", "/keys", `{"name":"mine","models":["anthropic/claude-*","fast"],"allow":["speed"],`+good+`}`)
		if made.field(t, "owner") != "ada" {
			t.Fatalf("got %s", made.body)
		}
		for body, why := range map[string]string{
			`{"name":"a","models":["openai/*"],` + good + `}`:                     "models: openai/*",
			`{"name":"b",` + good + `}`:                                           "models: *",
			`{"name":"c","models":["anthropic*"],` + good + `}`:                   "models: anthropic*",
			`{"name":"d","models":["fast"],"allow":["mcp_servers"],` + good + `}`: "allow: mcp_servers",
			`{"name":"e","models":["fast"]}`:                                      "expires_at",
			`{"name":"f","models":["fast"],"owner":"grace",` + good + `}`:         "keys.write",
		} {
			if got := a.ask(ada, "POST", "/keys", body); got.status != 403 || !strings.Contains(got.body, why) {
				t.Errorf("%s: %d %s, want it to say %q", body, got.status, got.body, why)
			}
		}
		id := "/keys/" + made.field(t, "id").(string)
		a.wants(403, ada, "PATCH", id, `{"models":["openai/*"]}`, "If-Match", "*")
		a.wants(403, ada, "PATCH", id, `{"owner":"grace"}`, "If-Match", "*")
		a.wants(200, ada, "PATCH", id, `{"tags":["x"]}`, "If-Match", "*")
		others := "/keys/" + a.wants(201, a.root, "POST", "/keys", `{"name":"others"}`).field(t, "id").(string)
		a.wants(403, ada, "PATCH", others, `{"tags":["x"]}`, "If-Match", "*")
		a.wants(403, ada, "POST", others+"/rotate", `{}`, "If-Match", "*")
		a.wants(403, ada, "DELETE", others, "", "If-Match", "*")
		a.wants(204, ada, "DELETE", id, "", "If-Match", "*")
	})
}

func TestWorkspaces(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		made := a.wants(201, a.root, "POST", "/workspaces", `{"name":"team","description":"x","regions":["eu"]}`)
		if strings.Contains(made.body, "self_service") || made.header.Get("etag") != `"1"` {
			t.Errorf("got %s", made.body)
		}
		a.wants(409, a.root, "POST", "/workspaces", `{"name":"team"}`)
		a.wants(422, a.root, "POST", "/workspaces", `{"name":"no name"}`)
		a.wants(201, a.root, "POST", "/projects?workspace=team", `{"name":"search"}`)
		a.wants(404, a.root, "POST", "/projects?workspace=nowhere", `{"name":"search"}`)
		admin := a.user("ada", "team", storage.RoleAdmin)
		if list := a.wants(200, admin, "GET", "/workspaces", ""); strings.Contains(list.body, "default") || !strings.Contains(list.body, "team") {
			t.Errorf("who sees one workspace gets %s", list.body)
		}
		a.wants(200, admin, "PUT", "/projects/search?workspace=team", `{"description":"y"}`, "If-Match", `"1"`)
		a.wants(412, admin, "PUT", "/projects/search?workspace=team", `{"description":"z"}`, "If-Match", `"1"`)
		a.wants(409, a.root, "DELETE", "/workspaces/team", "", "If-Match", "*")
		a.wants(204, admin, "DELETE", "/projects/search?workspace=team", "", "If-Match", "*")
		a.wants(204, a.root, "DELETE", "/workspaces/team", "", "If-Match", "*")
		a.wants(409, a.root, "DELETE", "/workspaces/default", "", "If-Match", "*")
		a.wants(409, a.root, "DELETE", "/projects/default", "", "If-Match", "*")
	})
}
