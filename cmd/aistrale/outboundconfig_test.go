package main

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/accesstoken"
	"github.com/aistrale/aistrale/internal/edge/edgetest"
	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/internal/outbound/outboundtest"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// Whatever is asked of a provider, by a call, a probe or a try, and the token that is minted for it,
// goes by the provider's proxy, to who its authority has signed, with its certificate.
func TestWay_provider(t *testing.T) {
	ca, dir := edgetest.NewAuthority(t), t.TempDir()
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("content-type", "application/json")
		switch {
		case r.TLS.PeerCertificates[0].Subject.CommonName != "gateway":
			w.WriteHeader(http.StatusTeapot)
		case r.URL.Path == "/token":
			_, _ = io.WriteString(w, `{"access_token":"minted","expires_in":3600}`)
		case r.Header.Get("api-key") != "minted":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			_, _ = io.WriteString(w, `{"data":[]}`)
		}
	}))
	upstream.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Pair(t, "upstream")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	upstream.StartTLS()
	t.Cleanup(upstream.Close)
	_, port, _ := net.SplitHostPort(upstream.Listener.Addr().String())
	at := "localhost:" + port
	edgetest.File(t, dir, "ca.crt", ca.PEM())
	ca.Write(t, dir, "gateway", time.Hour)
	through := outboundtest.NewConnect(t)
	more := strings.NewReplacer("DIR", dir, "AT", at).Replace(`
    token_url: https://AT/token
    ca_file: DIR/ca.crt
    cert_file: DIR/gateway.crt
    key_file: DIR/gateway.key
`)
	f := func(provider, general string, asked ...string) {
		t.Helper()
		c := mustLoad(t, "outbound: {proxy: \""+general+"\"}\nproviders:\n  - name: azure\n    base_url: https://"+at+provider+more)
		made := &state{pools: map[poolKey]proxy.Upstream{}, minters: map[mintKey]*accesstoken.Source{}, ways: map[outbound.Options]*outbound.Way{}}
		defer made.close()
		account, err := made.accountWith(c, "azure", storage.NewSecret(`{"tenant":"t","appId":"a","password":"p"}`))
		if err != nil {
			t.Fatal(err)
		}
		if fault := account.Try(t.Context()); fault != nil {
			t.Errorf("%+v, caused by %v", fault, fault.Cause)
		}
		if got := through.Asked(); got != strings.Join(asked, " ") {
			t.Errorf("the proxy was asked for %q, want %q", got, asked)
		}
	}
	url := "http://ada:secret@" + through.Address
	f("\n    proxy: "+url, "", at, at)
	f("", url, at, at)
	f("\n    proxy: none", url)

	// A file that is not good any more leaves the way as it was, so that keys can still be changed.
	made := &state{ways: map[outbound.Options]*outbound.Way{}}
	o := outbound.Options{CAFile: dir + "/ca.crt"}
	first, err := made.way(o)
	if err != nil {
		t.Fatal(err)
	}
	edgetest.File(t, dir, "ca.crt", []byte("torn"))
	if last, err := made.way(o); err != nil || last != first {
		t.Errorf("%v, %v", last, err)
	}
}

func TestWay_wrong(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := loadConfig(writeConfig(t, text), variables()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	f("providers: [{name: openai, proxy: \"ftp://ada:hunter2@proxy\"}]", "providers[0]: proxy: is no URL such as")
	f("providers: [{name: openai, ca_file: /nowhere}]", "providers[0]: ca_file: open /nowhere")
	f("providers: [{name: openai, cert_file: /nowhere}]", "one of them is missing")
	f("outbound: {proxy: \"hunter2\"}\nproviders: [{name: openai}]", "outbound: proxy: is no URL such as")
	f("proxy_protocol: true\nproviders: [{name: openai}]", "trusted_proxies says of nobody")
	f("trusted_proxies: [10.0.0.1/8]\nproviders: [{name: openai}]", "trusted_proxies[0]: \"10.0.0.1/8\" has bits beyond its range")
	f("tls: {key_file: x}\nproviders: [{name: openai}]", "tls.cert_file: is missing")
	f("tls: {min_version: \"1.1\"}\nproviders: [{name: openai}]", "neither 1.2 nor 1.3")
}
