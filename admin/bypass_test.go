package admin

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// A page of another site changes nothing through a browser that is signed in, at any route; the
// gateway's own pages, and who is no browser, get as far as they may.
func TestBypass_CrossSite(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.user("ada", storage.Everywhere, storage.RoleAdmin)
		session := a.signIn("ada")
		host := strings.TrimSuffix(a.url, prefix)
		const denied = "a page of another site"
		for _, r := range (&api{}).routes() {
			if r.method == http.MethodGet {
				continue
			}
			path := filled(r, "")
			for _, h := range [][]string{
				{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example.com"}, {"Origin", "null"},
				{"Origin", host + ".evil.example.com"}, {"Origin", host, "Sec-Fetch-Site", "cross-site"},
			} {
				if got := a.ask(session, r.method, path, "{}", append(h, "If-Match", "*")...); got.status != 403 || !strings.Contains(got.body, denied) {
					t.Errorf("%s %s with %v: %d %s, want it refused", r.method, r.path, h, got.status, got.body)
				}
			}
			if a.ends(r) {
				continue
			}
			for _, h := range [][]string{{"Sec-Fetch-Site", "same-origin", "Origin", host}, {"Origin", host}, {"Sec-Fetch-Site", "none"}} {
				if got := a.ask(session, r.method, path, `{"no such member":1}`, append(h, "If-Match", "*")...); strings.Contains(got.body, denied) {
					t.Errorf("%s %s with %v: %d %s", r.method, r.path, h, got.status, got.body)
				}
			}
		}
		a.wants(200, session, "GET", "/me", "", "Sec-Fetch-Site", "same-origin") // DELETE /session ended nothing
	})
}

// requestMembers gives what the description lets a route's body have; nil where there is no body.
func requestMembers(t *testing.T) func(route) map[string]json.RawMessage {
	t.Helper()
	text, err := OpenAPI("test")
	do(t, err)
	type schema struct {
		Ref        string                     `json:"$ref"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var said struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Schema schema `json:"schema"`
				} `json:"content"`
			} `json:"requestBody"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	do(t, json.Unmarshal(text, &said))
	return func(r route) map[string]json.RawMessage {
		s := said.Paths[r.path][strings.ToLower(r.method)].RequestBody.Content["application/json"].Schema
		if s.Ref != "" {
			s = said.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
		}
		return s.Properties
	}
}

// What a noun has and nobody may say of it is refused by its name, at every route with a body.
func TestBypass_MassAssignment(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		if strings.HasSuffix(t.Name(), "postgres") {
			t.Skip("a body is refused before there is a store")
		}
		membersOf, asked := requestMembers(t), 0
		for _, r := range (&api{}).routes() {
			members := membersOf(r)
			if members == nil {
				continue
			}
			for _, name := range []string{"id", "revision", "workspace", "created_at", "owner", "role", "hash", "sealed", "disabled_at", "subject"} {
				if _, may := members[name]; may {
					continue
				}
				asked++
				got := a.ask(a.root, r.method, filled(r, ""), fmt.Sprintf("{%q:1}", name), "If-Match", "*")
				if got.status != 422 || !strings.Contains(got.body, "body."+name) {
					t.Errorf("%s %s with %s: %d %s, want a 422 that names it", r.method, r.path, name, got.status, got.body)
				}
			}
		}
		if asked < 100 {
			t.Errorf("only %d bodies were sent", asked)
		}
	})
}

// No role makes itself a higher one, unless it is the one that may.
func TestBypass_RolesRaised(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		for _, where := range []string{"team", storage.Everywhere} {
			for _, role := range storage.Roles() {
				if where == storage.Everywhere && role == storage.RoleAdmin {
					continue
				}
				name := strings.ReplaceAll(where, "*", "all") + "-" + string(role)
				token := a.user(name, where, role)
				before := a.wants(200, a.root, "GET", "/users/"+name, "")
				a.wants(403, token, "PATCH", "/users/"+name, `{"memberships":[{"workspace":"*","role":"admin"}]}`, "If-Match", "*")
				a.wants(403, token, "PATCH", "/users/"+name+"?workspace=team", `{"memberships":[{"workspace":"team","role":"admin"}]}`, "If-Match", "*")
				a.wants(403, token, "POST", "/users", `{"name":"eve","memberships":[{"workspace":"*","role":"admin"}]}`)
				if after := a.wants(200, a.root, "GET", "/users/"+name, ""); after.body != before.body {
					t.Errorf("%s became %s", before.body, after.body)
				}
			}
		}
	})
}

// spellings are ways to ask for a route that are not its own.
func spellings(path string) map[string]string {
	bare, query, _ := strings.Cut(path, "?")
	if query != "" {
		query = "?" + query
	}
	last := strings.LastIndexByte(bare, '/')
	return map[string]string{
		"upper case": strings.ToUpper(bare) + query, "a slash behind": bare + "/" + query, "a slash before": "/" + path,
		"an escaped slash": bare[:last] + "%2f" + bare[last+1:] + query, "a parameter": bare + ";x" + query, "a dot": bare[:last] + "/." + bare[last:] + query,
		"an escaped dot": "/%2e" + path, "a zero": bare + "%00" + query, "an ending": bare + ".json" + query,
	}
}

// Nobody gets past the permissions by asking in another way: whoever may not do what a route does
// may not by another spelling, method or header either.
func TestBypass_Spellings(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		nobody := a.user("nobody", "", "")
		viewer := a.user("vic", "other", storage.RoleViewer)
		table, who := policy.NewPermits(policy.Permissions()), []storage.Membership{{Workspace: "other", Role: storage.RoleViewer}}
		plain := a.wants(200, nobody, http.MethodGet, "/me", "")
		refused := func(how, token, method, path string, headers ...string) {
			t.Helper()
			got := a.ask(token, method, path, "", append(headers, "If-Match", "*")...)
			if got.status < 400 {
				t.Errorf("%s: %s %s: %d %s", how, method, path, got.status, got.body)
			}
		}
		for _, r := range (&api{}).routes() {
			if r.action == "" || table.Allow(nil, r.action, "team") {
				continue
			}
			path := filled(r, workspacesOf(table, r)[0])
			for how, other := range spellings(path) {
				refused(how, nobody, r.method, other)
			}
			for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
				refused(header, nobody, http.MethodPost, path, header, r.method)
				refused(header, nobody, r.method, path, header, http.MethodGet)
			}
			for _, header := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"} {
				refused(header, nobody, r.method, path, header, prefix+"/me")
				if got := a.ask(nobody, http.MethodGet, "/me", "", header, prefix+path); got.body != plain.body {
					t.Errorf("%s: %s %s leads elsewhere: %s", header, r.method, path, got.body)
				}
			}
			if r.method == http.MethodGet { // else it is another route's
				refused("method", nobody, http.MethodHead, path)
			}
			for _, method := range []string{http.MethodOptions, http.MethodTrace, "get", "PROPFIND", "ANYTHING"} {
				refused("method", nobody, method, path)
			}
			if slices.Contains(workspacesOf(table, r), "team") && !table.Allow(who, r.action, "team") {
				bare, _, _ := strings.Cut(path, "?")
				refused("two workspaces", viewer, r.method, bare+"?workspace=team&workspace=other")
				if strings.Contains(r.path, "{workspace}") {
					refused("a workspace beside the path's", viewer, r.method, bare+"?workspace=other")
				}
			}
		}
	})
}

// Who tries a name that nobody has is told what who tries a wrong password is told, for as much
// work, and has as many tries.
func TestBypass_UnknownUsers(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.user("ada", "default", storage.RoleViewer)
		var hashes atomic.Int64
		server := httptest.NewServer(NewAPI(APIOptions{
			Store: a.store, Auditor: a.auditor, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return a.clock }, passwordMemory: 8,
			passwordKey: func(password, salt []byte, passes, memory uint32, lanes uint8, length uint32) []byte {
				hashes.Add(1)
				return argon2.IDKey(password, salt, passes, memory, lanes, length)
			},
		}))
		t.Cleanup(server.Close)
		a.url = server.URL + prefix
		answers := map[string]string{}
		for _, name := range []string{"ada", "grace"} {
			for range triesOfName {
				hashes.Store(0)
				got := a.wants(401, "", "POST", "/session", `{"name":"`+name+`","password":"wrong"}`)
				if n := hashes.Load(); n != 1 {
					t.Errorf("%s: %d hashes were computed, want 1", name, n)
				}
				answers[name] = got.body
			}
			hashes.Store(0)
			answers[name] += a.wants(429, "", "POST", "/session", `{"name":"`+name+`","password":"wrong"}`).body
			if n := hashes.Load(); n != 0 {
				t.Errorf("%s: who has to wait had %d hashes computed", name, n)
			}
		}
		if answers["ada"] != answers["grace"] {
			t.Errorf("the answers differ:\n%s\n%s", answers["ada"], answers["grace"])
		}
	})
}
