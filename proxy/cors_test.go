package proxy

import (
	"net/http"
	"testing"
)

// A page that may call is told so before it has a key, and may read errors too; others are not.
func TestGateway_CORS(t *testing.T) {
	cors := &CORS{Origins: []string{"https://app.example.com"}, MaxAge: "600", Credentials: true}
	g := newTestGateway(t, one(t, always(whole(wholeReply))), func(_ *Options, s *Snapshot) { s.CORS = cors })
	preflight := func(origin string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, g.url+"/v1/chat/completions", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("origin", origin)
		req.Header.Set("access-control-request-method", "POST")
		req.Header.Set("access-control-request-headers", "authorization,content-type")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	resp := preflight("https://app.example.com")
	for name, want := range map[string]string{
		"access-control-allow-origin": "https://app.example.com", "access-control-allow-headers": "authorization,content-type",
		"access-control-max-age": "600", "access-control-allow-credentials": "true", "vary": "Origin",
	} {
		if got := resp.Header.Get(name); resp.StatusCode != http.StatusNoContent || got != want {
			t.Errorf("%d, %s: %q, want %q", resp.StatusCode, name, got, want)
		}
	}
	if resp := preflight("https://evil.example.com"); resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("access-control-allow-origin") != "" {
		t.Errorf("another's: %d %v", resp.StatusCode, resp.Header)
	}
	f := func(origin, body string, status int, want string) {
		t.Helper()
		got, header, text := g.post(t, body, "origin", origin)
		if got != status || header.Get("access-control-allow-origin") != want || header.Get("vary") == "" && want != "*" {
			t.Errorf("from %s: %d %v\n%s", origin, got, header, text)
		}
	}
	f("https://app.example.com", askWhole, 200, "https://app.example.com")
	f("https://app.example.com", "{", 400, "https://app.example.com")
	f("https://evil.example.com", askWhole, 200, "")
	g.Snapshot().CORS.Origins, g.Snapshot().CORS.Credentials = []string{"*"}, false
	f("https://evil.example.com", askWhole, 200, "*")
	g.Snapshot().CORS = nil
	if _, header, _ := g.post(t, askWhole, "origin", "https://app.example.com"); header.Get("access-control-allow-origin") != "" || header.Get("vary") != "" {
		t.Errorf("without CORS: %v", header)
	}
}
