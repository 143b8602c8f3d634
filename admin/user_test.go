package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func TestUsers(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		made := a.wants(201, a.root, "POST", "/users",
			`{"name":"Ada@Example.com","password":"`+password+`","memberships":[{"workspace":"default","role":"engineer"},{"workspace":"a","role":"viewer"}]}`)
		if strings.Contains(made.body, "argon2") || strings.Contains(made.body, password) {
			t.Fatalf("the answer tells of the password: %s", made.body)
		}
		if made.field(t, "name") != "ada@example.com" || made.header.Get("etag") != `"1"` {
			t.Fatalf("got %s, ETag %s", made.body, made.header.Get("etag"))
		}
		a.wants(409, a.root, "POST", "/users", `{"name":"ada@example.com"}`)

		for body, why := range map[string]string{
			`{"name":"x","admin":true}`:                    "body.admin",
			`{"name":"x","name":"y"}`:                      "duplicate",
			`{"name":"x","password":"short"}`:              "body.password",
			`{"name":"../x"}`:                              "a name is letters",
			`{"name":"x","memberships":[{"role":"god"}]}`:  "role",
			`{"name":"x","password":"aaaaaaaaaaaaaaa"}`:    "guessed",
			`{"name":"engineer","password":"engineer-12"}`: "password",
			`{"name":"x","memberships":[{"workspace":"a","role":"viewer"},{"workspace":"a","role":"admin"}]}`: "each once",
		} {
			got := a.ask(a.root, "POST", "/users", body)
			if got.status != 422 && got.status != 400 || !strings.Contains(got.body, why) || strings.Contains(got.body, "short") {
				t.Errorf("%s: %d %s, want it to say %q", body, got.status, got.body, why)
			}
		}

		a.wants(428, a.root, "PATCH", "/users/ada@example.com", `{"disabled":true}`)
		changed := a.wants(200, a.root, "PATCH", "/users/ada@example.com", `{"memberships":[]}`, "If-Match", `"1"`)
		if changed.header.Get("etag") == `"1"` {
			t.Fatal("a change left the ETag as it was")
		}
		a.wants(412, a.root, "PATCH", "/users/ada@example.com", `{"disabled":true}`, "If-Match", `"1"`)
		a.wants(404, a.root, "GET", "/users/grace", "")
		a.wants(204, a.root, "DELETE", "/users/ada@example.com", "", "If-Match", "*")
		a.wants(404, a.root, "GET", "/users/ada@example.com", "")
	})
}

func TestLastAdmin(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.user("one", storage.Everywhere, storage.RoleAdmin)
		a.user("two", storage.Everywhere, storage.RoleAdmin)
		a.wants(200, a.root, "PATCH", "/users/one", `{"disabled":true}`, "If-Match", "*")
		a.wants(409, a.root, "PATCH", "/users/two", `{"disabled":true}`, "If-Match", "*")
		a.wants(409, a.root, "PATCH", "/users/two", `{"memberships":[]}`, "If-Match", "*")
		a.wants(409, a.root, "DELETE", "/users/two", "", "If-Match", "*")
		if got := a.wants(200, a.root, "GET", "/users/two", ""); strings.Contains(got.body, "disabled_at") {
			t.Fatalf("what was refused has happened: %s", got.body)
		}
		a.wants(200, a.root, "PATCH", "/users/one", `{"disabled":false}`, "If-Match", "*")
		a.wants(204, a.root, "DELETE", "/users/two", "", "If-Match", "*")
	})
}

func TestPages(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		for _, name := range []string{"e", "a", "d", "b", "c"} {
			a.wants(201, a.root, "POST", "/users", `{"name":"`+name+`"}`)
		}
		var names []string
		for cursor := ""; ; {
			got := a.wants(200, a.root, "GET", "/users?limit=2&cursor="+cursor, "")
			for _, u := range got.field(t, "data").([]any) {
				names = append(names, u.(map[string]any)["name"].(string))
			}
			if !strings.Contains(got.body, "next_cursor") {
				break
			}
			cursor = got.field(t, "next_cursor").(string)
		}
		if got := strings.Join(names, ""); got != "abcde" {
			t.Fatalf("the pages have %s", got)
		}
		a.wants(400, a.root, "GET", "/users?cursor=%2a", "")
		a.wants(422, a.root, "GET", "/users?limit=1000", "")
		a.wants(422, a.root, "GET", "/users?order=up", "")
	})
}

func TestSessions(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.user("ada", "default", storage.RoleEngineer)
		session := a.signIn("ada")
		a.wants(200, session, "GET", "/me", "")
		second := a.signIn("ada")
		if session == second {
			t.Fatal("two sessions are one")
		}
		a.wants(204, second, "DELETE", "/session", "")
		a.wants(401, second, "GET", "/me", "")

		a.clock = a.clock.Add(59 * time.Minute)
		a.wants(200, session, "GET", "/me", "")
		a.clock = a.clock.Add(59 * time.Minute)
		a.wants(200, session, "GET", "/me", "") // it was used in between
		a.clock = a.clock.Add(61 * time.Minute)
		a.wants(401, session, "GET", "/me", "")

		session = a.signIn("ada")
		other := a.signIn("ada")
		a.wants(422, session, "POST", "/me/password", `{"current":"wrong","new":"another good one"}`)
		a.wants(204, session, "POST", "/me/password", `{"current":"`+password+`","new":"another good one"}`)
		a.wants(401, other, "GET", "/me", "")
		a.wants(401, "", "POST", "/session", `{"name":"ada","password":"`+password+`"}`)

		again := "cookie:" + cookieIn(t, a.wants(201, "", "POST", "/session", `{"name":"ada","password":"another good one"}`).header)
		a.wants(200, a.root, "PATCH", "/users/ada", `{"disabled":true}`, "If-Match", "*")
		a.wants(401, again, "GET", "/me", "")
		a.wants(401, "", "POST", "/session", `{"name":"ada","password":"another good one"}`)
	})
}

// A session that somebody else chose is not taken up by who signs in.
func TestSessionFixation(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.user("ada", "default", storage.RoleEngineer)
		got := a.wants(201, "cookie:chosen-by-an-attacker", "POST", "/session", `{"name":"ada","password":"`+password+`"}`)
		if cookieIn(t, got.header) == "chosen-by-an-attacker" {
			t.Fatal("the session is the attacker's")
		}
		a.wants(401, "cookie:chosen-by-an-attacker", "GET", "/me", "")
		line := got.header.Get("set-cookie")
		for _, flag := range []string{"__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"} {
			if !strings.Contains(line, flag) {
				t.Errorf("the cookie %q lacks %s", line, flag)
			}
		}
	})
}

func TestCrossSite(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.user("ada", storage.Everywhere, storage.RoleAdmin)
		session := a.signIn("ada")
		for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example.com"}} {
			if got := a.ask(session, "POST", "/users", `{"name":"eve"}`, h...); got.status != 403 {
				t.Errorf("%v: %d, want 403", h, got.status)
			}
		}
		a.wants(404, session, "GET", "/users/eve", "")
	})
}

func TestThrottle(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.user("ada", "default", storage.RoleViewer)
		for range triesOfName {
			a.wants(401, "", "POST", "/session", `{"name":"ada","password":"wrong"}`)
		}
		got := a.wants(429, "", "POST", "/session", `{"name":"ada","password":"`+password+`"}`)
		if got.header.Get("retry-after") == "" {
			t.Error("nobody says when to try again")
		}
		for range triesOfAddress {
			a.ask("", "POST", "/session", `{"name":"grace","password":"wrong"}`)
		}
		a.clock = a.clock.Add(everyOfName)
		a.signIn("ada")
	})
}

func TestTokens(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		token := a.user("ada", storage.Everywhere, storage.RoleAdmin)
		a.wants(200, token, "GET", "/users", "")
		narrow := a.wants(201, token, "POST", "/me/tokens", `{"name":"narrow","scopes":["tokens.*","me.read"],"expires_at":"2026-11-26T13:00:00Z"}`)
		text := narrow.field(t, "token").(string)
		a.wants(403, text, "GET", "/users", "")
		a.wants(403, text, "POST", "/me/tokens", `{"name":"wider"}`)
		list := a.wants(200, text, "GET", "/me/tokens", "")
		if strings.Contains(list.body, text) {
			t.Fatal("a list shows a token's text")
		}
		a.wants(409, token, "POST", "/me/tokens", `{"name":"narrow"}`)
		a.wants(422, token, "POST", "/me/tokens", `{"name":"typo","scopes":["user.read"]}`)
		a.wants(422, token, "POST", "/me/tokens", `{"name":"old","expires_at":"2020-01-01T00:00:00Z"}`)

		other := a.user("grace", "default", storage.RoleViewer)
		a.wants(404, other, "DELETE", "/me/tokens/"+narrow.field(t, "id").(string), "")
		a.wants(200, text, "GET", "/me", "")
		a.clock = a.clock.Add(time.Hour)
		a.wants(401, text, "GET", "/me", "")

		a.wants(204, a.root, "DELETE", "/users/grace", "", "If-Match", "*")
		a.wants(401, other, "GET", "/me", "")
	})
}

func TestIdempotency(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		token := a.user("ada", storage.Everywhere, storage.RoleAdmin)
		first := a.wants(201, token, "POST", "/me/tokens", `{"name":"ci"}`, "Idempotency-Key", "k1")
		again := a.wants(201, token, "POST", "/me/tokens", `{"name":"ci"}`, "Idempotency-Key", "k1")
		if first.body != again.body || again.header.Get("idempotency-replayed") != "true" {
			t.Fatalf("the second answer is %s, the first was %s", again.body, first.body)
		}
		a.wants(422, token, "POST", "/me/tokens", `{"name":"other"}`, "Idempotency-Key", "k1")
		a.wants(409, token, "POST", "/me/tokens", `{"name":"ci"}`, "Idempotency-Key", "k2") // a refusal is not kept
		a.wants(201, a.root, "POST", "/users", `{"name":"grace"}`, "Idempotency-Key", "k1")
		a.clock = a.clock.Add(onceLasts)
		a.wants(409, token, "POST", "/me/tokens", `{"name":"ci"}`, "Idempotency-Key", "k1")

		viewer := a.user("vic", "default", storage.RoleViewer)
		a.wants(403, viewer, "POST", "/users", `{"name":"eve"}`, "Idempotency-Key", "k3")

		a.user("other", storage.Everywhere, storage.RoleAdmin)
		a.wants(201, token, "POST", "/me/tokens", `{"name":"secret"}`, "Idempotency-Key", "k4")
		a.wants(200, a.root, "PATCH", "/users/ada", `{"disabled":true}`, "If-Match", "*")
		a.wants(401, token, "POST", "/me/tokens", `{"name":"secret"}`, "Idempotency-Key", "k4")
	})
}

// Sign-ins make a session each, and nothing that opens one is kept.
func TestIdempotency_Sessions(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		token := a.user("ada", "default", storage.RoleViewer)
		body := `{"name":"ada","password":"` + password + `"}`
		for _, as := range []string{"", token} {
			first := a.wants(201, as, "POST", "/session", body, "Idempotency-Key", "k1")
			again := a.wants(201, as, "POST", "/session", body, "Idempotency-Key", "k1")
			if cookieIn(t, first.header) == cookieIn(t, again.header) {
				t.Error("two sign-ins have one session")
			}
		}
		kept, err := a.store.Documents(t.Context(), storage.DocumentQuery{Kind: onceKind()})
		if err != nil || len(kept) > 0 {
			t.Errorf("%d answers are kept, %v", len(kept), err)
		}
	})
}
