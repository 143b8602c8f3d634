package admin

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/aistrale/aistrale/storage"
)

// idp is an identity provider, and the API that people sign in to by it.
type idp struct {
	*testAPI
	m      *mockoidc.MockOIDC
	forged func(jwt.MapClaims) // changes what an ID token says, which is signed anew; nil: nothing
}

func newIDP(t *testing.T, a *testAPI, change func(*OIDCOptions)) *idp {
	t.Helper()
	a.clock = time.Now()
	p := &idp{testAPI: a}
	var err error
	p.m, err = mockoidc.NewServer(nil)
	do(t, err)
	do(t, p.m.AddMiddleware(p.forge))
	listener, err := new(listenConfig).listen(t.Context())
	do(t, err)
	do(t, p.m.Start(listener, nil))
	t.Cleanup(func() { _ = p.m.Shutdown() })
	o := &OIDCOptions{
		Issuer: p.m.Issuer(), ClientID: p.m.ClientID, Secret: storage.NewSecret(p.m.ClientSecret), RedirectURL: a.url + "/session/oidc/callback",
		Scopes: []string{"openid", "email", "profile", "groups"}, GroupsClaim: "groups", CreateUsers: true, Domains: []string{"example.com"},
		Groups: []GroupRole{
			{"readers", storage.Membership{Workspace: "team", Role: storage.RoleViewer}},
			{"builders", storage.Membership{Workspace: "team", Role: storage.RoleEngineer}},
			{"bosses", storage.Membership{Workspace: storage.Everywhere, Role: storage.RoleAdmin}},
		},
	}
	if change != nil {
		change(o)
	}
	server := httptest.NewServer(NewAPI(APIOptions{
		Store: a.store, Auditor: a.auditor, OIDC: o, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: func() time.Time { return a.clock },
		CheckKey: func(*storage.Key) error { return nil }, CheckPayloads: func(p storage.PayloadSettings) error { return p.Check() }, CheckBounds: func(*storage.Bounds) error { return nil },
		SessionLasts: 12 * time.Hour, SessionIdle: time.Hour, passwordMemory: 8,
	}))
	t.Cleanup(server.Close)
	p.testAPI.url = server.URL + prefix
	return p
}

// forge signs what the token endpoint gives anew, with other claims.
func (p *idp) forge(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.forged == nil || !strings.HasSuffix(r.URL.Path, "/token") {
			next.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		var body map[string]any
		if json.Unmarshal(answer.Body.Bytes(), &body) != nil || body["id_token"] == nil {
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return
		}
		said := jwt.MapClaims{}
		_, _, err := jwt.NewParser().ParseUnverified(body["id_token"].(string), said)
		if err == nil {
			p.forged(said)
			body["id_token"], err = p.m.Keypair.SignJWT(said)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("content-type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	})
}

// listenConfig listens on this machine.
type listenConfig struct{ net.ListenConfig }

func (c *listenConfig) listen(ctx context.Context) (net.Listener, error) {
	return c.Listen(ctx, "tcp", "127.0.0.1:0")
}

func ada(groups ...string) *mockoidc.MockUser {
	return &mockoidc.MockUser{Subject: "s-ada", Email: "Ada@example.com", EmailVerified: true, Groups: groups}
}

// leaves begins a sign-in: the browser's cookie, and where the provider sends it back.
func (p *idp) leaves(u *mockoidc.MockUser, change func(url.Values)) (cookie, back string) {
	p.t.Helper()
	got := p.wants(303, "", "GET", "/session/oidc", "")
	cookie = named(p.t, got.header, oidcCookie).Value
	at, err := url.Parse(got.header.Get("location"))
	do(p.t, err)
	if q := at.Query(); q.Get("code_challenge_method") != "S256" || q.Get("state") == "" || q.Get("nonce") == "" {
		p.t.Fatalf("sent to %s", at)
	}
	if change != nil {
		q := at.Query()
		change(q)
		at.RawQuery = q.Encode()
	}
	p.m.QueueUser(u)
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, at.String(), http.NoBody)
	do(p.t, err)
	answer, err := http.DefaultTransport.RoundTrip(r)
	do(p.t, err)
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusFound {
		p.t.Fatalf("the provider answers %d %s", answer.StatusCode, text)
	}
	to, err := url.Parse(answer.Header.Get("location"))
	do(p.t, err)
	return cookie, "/session/oidc/callback?session_state=x&" + to.RawQuery
}

func named(t *testing.T, h http.Header, name string) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: h}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s in %v", name, h)
	return nil
}

func (p *idp) returns(status int, cookie, back string) answerOf {
	p.t.Helper()
	return p.wants(status, "", "GET", back, "", "Cookie", oidcCookie+"="+cookie)
}

// in signs somebody in and gives the cookie of the session.
func (p *idp) in(u *mockoidc.MockUser) (string, answerOf) {
	p.t.Helper()
	cookie, back := p.leaves(u, nil)
	got := p.returns(200, cookie, back)
	return "cookie:" + named(p.t, got.header, sessionCookie).Value, got
}

// roles are what the API says that somebody is.
func (p *idp) roles(name, want string) {
	p.t.Helper()
	var u User
	do(p.t, json.Unmarshal([]byte(p.wants(200, p.root, "GET", "/users/"+name, "").body), &u))
	var got []string
	for _, m := range u.Memberships {
		got = append(got, m.Workspace+"="+string(m.Role))
	}
	if strings.Join(got, ",") != want {
		p.t.Errorf("%s is %v, want %s", name, got, want)
	}
}

// Who signs in is what the groups give, each time anew; what was given by hand stays.
func TestOIDC_Memberships(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		p := newIDP(t, a, nil)
		session, _ := p.in(ada("readers", "builders", "unheard-of"))
		p.roles("ada@example.com", "team=engineer")
		if me := p.wants(200, session, "GET", "/me", ""); !strings.Contains(me.body, `"user":"ada@example.com"`) {
			t.Errorf("got %s", me.body)
		}
		p.in(ada("readers"))
		p.roles("ada@example.com", "team=viewer")

		// The subject is who somebody is: the address may change, and another one's may become it.
		moved := ada("readers")
		moved.Email = "countess@example.com"
		p.in(moved)
		p.roles("ada@example.com", "team=viewer")
		other := ada("bosses")
		other.Subject = "s-eve"
		cookie, back := p.leaves(other, nil)
		if got := p.returns(403, cookie, back); !strings.Contains(got.body, "another user has this name") {
			t.Errorf("got %s", got.body)
		}

		p.wants(200, p.root, "PATCH", "/users/ada@example.com", `{"memberships":[{"workspace":"team","role":"viewer"},{"workspace":"side","role":"admin"}]}`, "If-Match", "*")
		p.in(ada("builders"))
		p.roles("ada@example.com", "side=admin,team=engineer")
		p.in(ada())
		p.roles("ada@example.com", "side=admin")
		p.wants(200, p.root, "PATCH", "/users/ada@example.com", `{"memberships":[]}`, "If-Match", "*")
		cookie, back = p.leaves(ada("unheard-of"), nil)
		p.returns(403, cookie, back)

		p.in(ada("bosses"))
		p.roles("ada@example.com", "*=admin")
		p.in(ada("readers")) // the last one who may do everything stays
		p.roles("ada@example.com", "*=admin,team=viewer")
		p.user("root", storage.Everywhere, storage.RoleAdmin)
		p.in(ada("readers"))
		p.roles("ada@example.com", "team=viewer")

		p.wants(200, p.root, "PATCH", "/users/ada@example.com", `{"disabled":true}`, "If-Match", "*")
		cookie, back = p.leaves(ada("bosses"), nil)
		if got := p.returns(403, cookie, back); !strings.Contains(got.body, "disabled") {
			t.Errorf("got %s", got.body)
		}
		p.roles("ada@example.com", "team=viewer")
	})
}

// Who is not to come in does not, is told little, and is noted.
func TestOIDC_Refused(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		p := newIDP(t, a, nil)
		refused := func(why, cookie, back string) {
			t.Helper()
			got := p.returns(403, cookie, back)
			if !strings.Contains(got.body, why) || got.header.Get("set-cookie") != "" {
				t.Errorf("got %s, want it to say %q", got.body, why)
			}
		}
		// Another browser's, none's and a changed state: nobody is signed in by another's link.
		cookie, back := p.leaves(ada("readers"), nil)
		mine, _ := p.leaves(ada("readers"), nil)
		refused("did not begin", mine, back)
		refused("did not begin", "", back)
		refused("did not begin", cookie, strings.Replace(back, "&state=", "&state=x", 1))
		refused("did not begin", cookie, back+"&iss=https%3A%2F%2Fevil.example")
		refused("refused", cookie, "/session/oidc/callback?error=access_denied&state="+strings.Split(cookie, ".")[0])
		p.returns(200, cookie, back)
		refused("not good", cookie, back) // the code is used up

		cookie, back = p.leaves(ada("readers"), func(q url.Values) { q.Set("nonce", "another") })
		refused("not good", cookie, back)
		cookie, back = p.leaves(ada("readers"), func(q url.Values) { q.Set("code_challenge", strings.Repeat("A", 43)) })
		refused("not good", cookie, back)
		for name, forge := range map[string]func(jwt.MapClaims){
			"audience": func(c jwt.MapClaims) { c["aud"] = "another" },
			"issuer":   func(c jwt.MapClaims) { c["iss"] = "https://another.example" },
			"expired":  func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
			"nonce":    func(c jwt.MapClaims) { delete(c, "nonce") },
		} {
			p.forged = forge
			cookie, back = p.leaves(ada("readers"), nil)
			got := p.returns(403, cookie, back)
			if !strings.Contains(got.body, "not good") {
				t.Errorf("%s: got %s", name, got.body)
			}
		}
		p.forged = nil

		nobody := &mockoidc.MockUser{Subject: "s-new", Email: "new@example.com", EmailVerified: true, Groups: []string{"unheard-of"}}
		cookie, back = p.leaves(nobody, nil)
		refused("no group", cookie, back)
		p.wants(404, p.root, "GET", "/users/new@example.com", "")
		nobody.Groups, nobody.EmailVerified = []string{"bosses"}, false
		cookie, back = p.leaves(nobody, nil)
		refused("not verified", cookie, back)
		nobody.EmailVerified, nobody.Email = true, "new@elsewhere.example"
		cookie, back = p.leaves(nobody, nil)
		refused("domain", cookie, back)
		p.user("has-password@example.com", "team", storage.RoleViewer)
		nobody.Email = "has-password@example.com"
		cookie, back = p.leaves(nobody, nil)
		refused("signs in otherwise", cookie, back)
		p.roles("has-password@example.com", "team=viewer")

		_, _, err := p.store.ChainAudit(t.Context(), 1000)
		do(t, err)
		denied := p.wants(200, p.root, "GET", "/audit?action=session.open&outcome=denied&limit=200", "")
		if n := strings.Count(denied.body, `"via":"oidc"`); n != 16 || strings.Contains(denied.body, "new@") {
			t.Errorf("%d refusals are noted: %s", n, denied.body)
		}
	})
}

// Who floods the way back is noted as often as one may try, and keeps nobody else from coming in.
func TestOIDC_Flood(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		p := newIDP(t, a, nil)
		noted := func(want int) {
			t.Helper()
			_, _, err := p.store.ChainAudit(t.Context(), 1000)
			do(t, err)
			denied := p.wants(200, p.root, "GET", "/audit?action=session.open&outcome=denied&limit=200", "")
			if n := strings.Count(denied.body, `"via":"oidc"`); n != want {
				t.Errorf("%d refusals are noted, want %d", n, want)
			}
		}
		for range triesOfAddress {
			p.wants(403, "", "GET", "/session/oidc/callback?state=x", "")
		}
		noted(triesOfAddress)
		for range 2 * triesOfAddress {
			if got := p.wants(429, "", "GET", "/session/oidc/callback?state=x", "", "X-Forwarded-For", "192.0.2.1"); got.header.Get("retry-after") != "3" {
				t.Errorf("Retry-After is %q", got.header.Get("retry-after"))
			}
		}
		noted(triesOfAddress)
		p.in(ada("readers"))
		p.wants(401, "", "POST", "/session", `{"name":"eve","password":"wrong"}`) // has tries of its own
		p.wants(200, p.root, "PATCH", "/users/ada@example.com", `{"disabled":true}`, "If-Match", "*")
		cookie, back := p.leaves(ada("readers"), nil)
		p.returns(403, cookie, back) // somebody who is known is noted all the same
		noted(triesOfAddress + 1)
		a.clock = a.clock.Add(everyOfAddress)
		p.wants(403, "", "GET", "/session/oidc/callback?state=x", "")
		p.wants(429, "", "GET", "/session/oidc/callback?state=x", "")
		noted(triesOfAddress + 2)
	})
}

// A new session is made at each sign-in: one that was put into a browser before is never taken up.
func TestOIDC_Session(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		p := newIDP(t, a, nil)
		cookie, back := p.leaves(ada("readers"), nil)
		planted := strings.Repeat("A", 43)
		got := p.wants(200, "", "GET", back, "", "Cookie", oidcCookie+"="+cookie+"; "+sessionCookie+"="+planted)
		c := named(t, got.header, sessionCookie)
		if c.Value == planted || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("the cookie is %v", c)
		}
		if gone := named(t, got.header, oidcCookie); gone.MaxAge >= 0 {
			t.Errorf("the attempt stays: %v", gone)
		}
		p.wants(401, "cookie:"+planted, "GET", "/me", "")
		p.wants(200, "cookie:"+c.Value, "GET", "/me", "")
	})
}

// Without the identity provider nobody signs in there, and everything else goes on.
func TestOIDC_ProviderDown(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(404, "", "GET", "/session/oidc", "")
		p := newIDP(t, a, nil)
		cookie, back := p.leaves(ada("readers"), nil)
		do(t, p.m.Shutdown())
		p.returns(503, cookie, back)
		late := newIDP(t, a, func(o *OIDCOptions) { o.Issuer = "http://127.0.0.1:1/oidc" })
		late.wants(503, "", "GET", "/session/oidc", "")
		late.wants(200, a.root, "GET", "/users", "")
	})
}
