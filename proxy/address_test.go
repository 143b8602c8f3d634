package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"

	"github.com/aistrale/aistrale/internal/edge"
	"github.com/aistrale/aistrale/internal/edge/edgetest"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

func networksOf(t *testing.T, all ...string) (out storage.Networks) {
	t.Helper()
	for _, text := range all {
		n, err := storage.ParseNetwork(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// A key that is held to addresses is refused from others, in each language and without a word
// about the addresses; who the client is, a trusted proxy alone may say.
func TestGateway_ClientAddresses(t *testing.T) {
	trusted := networksOf(t, "127.0.0.0/8")
	g := newTestGateway(t, one(t, always(whole(wholeReply))), func(_ *Options, s *Snapshot) {
		key, err := storage.KeyOf("test", testKey)
		if err != nil {
			t.Fatal(err)
		}
		key.AllowAddresses = networksOf(t, "203.0.113.0/24")
		s.Keys, s.Trusted = policy.NewKeyring([]storage.Key{key}), trusted
	})
	f := func(forwarded string, want int, client string) {
		t.Helper()
		status, _, body := g.post(t, askWhole, "x-forwarded-for", forwarded)
		rec := g.records.next(t)
		if status != want || rec.Client.String() != client || rec.KeyName != "test" {
			t.Errorf("for %q: %d from %s: %s", forwarded, status, rec.Client, body)
		}
		if status == http.StatusForbidden && (strings.Contains(body, "203.0") || rec.Fault != "address_not_allowed") {
			t.Errorf("%s: %s", rec.Fault, body)
		}
	}
	f("203.0.113.9", 200, "203.0.113.9")
	f("127.9.9.9, 203.0.113.9", 200, "203.0.113.9")
	f("203.0.113.9, 198.51.100.1", 403, "198.51.100.1")
	f("nobody", 403, "127.0.0.1")

	for path, want := range map[string]string{
		"/v1/models": `"code":"address_not_allowed"`, "/anthropic/v1/messages": `"type":"permission_error"`, "/gemini/v1beta/models/m:generateContent": `"status":"PERMISSION_DENIED"`,
	} {
		method, body := http.MethodPost, askWhole
		if path == "/v1/models" {
			method, body = http.MethodGet, ""
		}
		req, err := http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("authorization", "Bearer "+testKey)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden || !strings.Contains(strings.ReplaceAll(string(text), `": "`, `":"`), want) {
			t.Errorf("%s: %d %s, want %s", path, resp.StatusCode, text, want)
		}
		g.records.next(t)
	}
}

// Below TLS and a PROXY header the client's address is the header's, and one that leaves is noticed.
func TestGateway_ProxyProtocol(t *testing.T) {
	reached, left := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newStage(t, func(w http.ResponseWriter, r *http.Request, body string) {
		if !strings.Contains(body, "wait") {
			well(w, r, body)
			return
		}
		reached <- struct{}{}
		hangs(w, r, body)
		left <- struct{}{}
	}, well)
	g := newStagedGateway(t, &policy.Alias{Targets: []policy.Target{{Provider: "one", Model: "m"}}}, []*Account{s.account(t, "one", "c")})
	trusted, ca := networksOf(t, "127.0.0.1"), edgetest.NewAuthority(t)
	secured := securedBy(t, ca)
	at := g.alsoOn(t, func(l net.Listener) net.Listener {
		return secured(edge.ProxyProtocol(l, func() storage.Networks { return trusted }))
	})
	for version := byte(1); version <= 2; version++ {
		raw, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		from := &net.TCPAddr{IP: net.ParseIP(fmt.Sprintf("2001:db8::%d", version)), Port: 4711}
		if _, err := proxyproto.HeaderProxyFromAddrs(version, from, &net.TCPAddr{IP: net.ParseIP("2001:db8::ff"), Port: 443}).WriteTo(raw); err != nil {
			t.Fatal(err)
		}
		c := clientOf(raw, ca)
		if _, err := io.WriteString(c, stagedRequest(itWhole)+stagedRequest(strings.Replace(itWhole, `"hi"`, `"wait"`, 1))); err != nil {
			t.Fatal(err)
		}
		if status, body := answer(t, bufio.NewReader(c)); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
		<-reached
		_ = c.Close()
		<-left
		for _, want := range []storage.Outcome{storage.OutcomeOK, storage.OutcomeClientGone} {
			if rec := g.records.next(t); rec.Outcome != want || rec.Client.String() != from.IP.String() {
				t.Errorf("outcome %s of %s: %s", rec.Outcome, rec.Client, rec.Err)
			}
		}
	}
}
