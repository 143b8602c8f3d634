package admin

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aistrale/aistrale/storage"
)

// hostileBodies are what no route may choke on, by what they try.
func hostileBodies() map[string]string {
	var keys strings.Builder
	for i := range 50_000 {
		keys.WriteString(`"k` + strings.Repeat("x", i%7) + strings.Repeat("y", i/7000) + string(rune('a'+i%26)) + url.PathEscape(string(rune(0x4e00+i%20000))) + `":1,`)
	}
	const depth = 200_000
	return map[string]string{
		"deep arrays":           `{"name":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`,
		"deep objects":          strings.Repeat(`{"name":`, depth/4) + "1" + strings.Repeat("}", depth/4),
		"deep without end":      strings.Repeat("[", depth),
		"many members":          "{" + keys.String() + `"name":"x"}`,
		"a huge number":         `{"name":1e999999999,"limit":1e400,"overlap_seconds":99999999999999999999999}`,
		"a number of digits":    `{"name":` + strings.Repeat("9", depth) + `}`,
		"a negative number":     `{"overlap_seconds":-9223372036854775809,"days":-1}`,
		"too large":             `{"name":"` + strings.Repeat("x", maxBody) + `"}`,
		"two names":             `{"name":"a","name":"b"}`,
		"two names in disguise": `{"name":"a","n\u0061me":"b"}`,
		"members of others":     `{"name":"a","id":"x","owner":"root","hash":"x","revision":9,"workspace":"*","created_at":"2020-01-01T00:00:00Z","__proto__":{"admin":true}}`,
		"no UTF-8":              "{\"name\":\"\xff\xfe\"}",
		"half a surrogate":      `{"name":"\ud800"}`,
		"a zero":                `{"name":"\u0000"}`,
		"null":                  `null`,
		"an array":              `[]`,
		"two values":            `{"name":"a"}{"name":"b"}`,
		"a comment":             `{"name":"a"/**/}`,
		"no JSON":               `name=a`,
		"nothing":               ` `,
	}
}

// proving asks every route everything; else the costly of it is spread over the routes.
var proving = os.Getenv("AISTRALE_PROVE") != ""

// Every route takes every hostile body for what it is: the client's mistake, said in few words.
func TestHostileBodies(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		if strings.HasSuffix(t.Name(), "postgres") {
			t.Skip("a body is refused before there is a store")
		}
		bodies := hostileBodies()
		for n, r := range (&api{}).routes() {
			if r.method == http.MethodGet || a.ends(r) {
				continue
			}
			for name, body := range bodies {
				if len(body) > 32<<10 && !proving && n%8 != len(name)%8 {
					continue
				}
				got := a.ask(a.root, r.method, filled(r, ""), body, "If-Match", "*")
				takesNone := got.status < 300 || got.status == 409 // a route without a body looks at none
				if got.status >= 500 || got.status < 400 && !takesNone || len(got.body) > 64<<10 || !utf8.ValidString(got.body) {
					t.Errorf("%s %s with %s: %d, %d bytes: %.200s", r.method, r.path, name, got.status, len(got.body), got.body)
				}
			}
		}
		for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/cbor"} {
			if got := a.ask(a.root, "POST", "/users", `{"name":"eve"}`, "Content-Type", kind); got.status != 415 && got.status != 422 && got.status != 400 {
				t.Errorf("a body that says it is %s: %d %s", kind, got.status, got.body)
			}
		}
	})
}

// hostileWords are names that lead out of where they belong, or into a store's or a terminal's own
// language.
func hostileWords() []string {
	return []string{
		"../../etc/passwd", "..", ".", "/", `..\..\x`, "%2e%2e%2f", "a/../b", "a\x00b", "\x00", "a\r\nx-injected: 1", "a\u202eb", "\u2028", "\xff\xfe", "' OR 1=1 --", `"; DROP TABLE users; --`, "${jndi:ldap://x}",
		"{{7*7}}", "*", "%", "_", "=cmd|' /C calc'!A0", "-1", "9223372036854775808", "1e309", "NaN", strings.Repeat("a", 8<<10), "ａdmin", "admin\u0000", "<script>alert(1)</script>",
	}
}

// Every route takes every hostile word in its path and its query for a name that nothing has.
func TestHostileWords(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		for n, r := range (&api{}).routes() {
			if a.ends(r) || r.method != http.MethodGet && !strings.Contains(r.path, "{") {
				continue
			}
			for i, word := range hostileWords() {
				if !proving && (n+i)%4 != 0 {
					continue
				}
				path := r.path
				for strings.Contains(path, "{") {
					from, to := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
					path = path[:from] + url.PathEscape(word) + path[to+1:]
				}
				q := url.QueryEscape(word)
				for _, query := range []string{"?workspace=" + q, "?cursor=" + q} {
					got := a.ask(a.root, r.method, path+query, "{}", "If-Match", "*")
					if got.status >= 500 || len(got.body) > 64<<10 || got.header.Get("x-injected") != "" || !utf8.ValidString(got.body) {
						t.Errorf("%s %s with %.40q: %d, %d bytes: %.200s", r.method, r.path+query, word, got.status, len(got.body), got.body)
					}
				}
			}
		}
	})
}

// Who is kept from something is noted, whatever the name that they came with.
func TestHostileWords_AreNoted(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		viewer, noted := a.user("vic", "default", storage.RoleViewer), 0
		for _, word := range hostileWords() {
			q := url.QueryEscape(word)
			got := a.ask(viewer, "DELETE", "/keys/"+q+"?workspace="+q, "", "If-Match", "*")
			if !slices.Contains([]int{403, 400, 404, 422, 307}, got.status) {
				t.Errorf("%.40q: %d %s", word, got.status, got.body)
			}
			do(t, a.auditor.turn(t.Context()))
			denied, err := a.store.AuditLog(t.Context(), storage.AuditQuery{Actor: "user/vic", Outcome: storage.AuditDenied})
			do(t, err)
			if got.status == 403 {
				noted++
			}
			if len(denied) != noted {
				t.Errorf("%.40q: %d denials were noted, want %d", word, len(denied), noted)
			}
		}
	})
}

// panicking is a store that breaks with a secret in its hands.
type panicking struct{ testStore }

func (panicking) AdminToken(context.Context, string) (storage.AdminToken, error) {
	panic(map[string]any{"while": "looking", "secret": storage.NewSecret("canary-in-a-panic")})
}

// A panic is a plain 500 for who asked, and a line for the operator, without what was in its hands.
func TestPanic(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		var log strings.Builder
		api := NewAPI(APIOptions{Store: panicking{a.store}, Log: slog.New(slog.NewJSONHandler(&log, nil)), Now: time.Now, Version: "test"})
		r := httptest.NewRequest(http.MethodGet, prefix+"/me", nil)
		r.Header.Set("authorization", "Bearer "+a.root)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != 500 || strings.Contains(w.Body.String(), "goroutine") || strings.Contains(w.Body.String(), "looking") {
			t.Errorf("the answer is %d %s", w.Code, w.Body)
		}
		if text := log.String(); !strings.Contains(text, "a panic") || !strings.Contains(text, w.Header().Get("x-request-id")) {
			t.Errorf("the log has %s", text)
		}
		for _, secret := range []string{"canary-in-a-panic", a.root, a.root[20:]} {
			if strings.Contains(log.String()+w.Body.String(), secret) {
				t.Errorf("%q shows:\n%s", secret, log.String())
			}
		}
	})
}
