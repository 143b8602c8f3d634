package outbound

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/edge/edgetest"
	"github.com/aistrale/aistrale/internal/outbound/outboundtest"
	"github.com/aistrale/aistrale/storage"
)

// private starts a server whose certificate only ca signs, and which wants one of ca's.
func private(t *testing.T, ca *edgetest.Authority) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Pair(t, "upstream")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return "localhost:" + port
}

func TestWay(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1") // which nobody asked for
	ca, dir := edgetest.NewAuthority(t), t.TempDir()
	address := private(t, ca)
	o := Options{CAFile: edgetest.File(t, dir, "ca", ca.PEM())}
	o.CertFile, o.KeyFile = ca.Write(t, dir, "gateway", time.Hour)
	f := func(url string, p *outboundtest.Proxy) {
		t.Helper()
		o.Proxy = storage.NewSecret(url)
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{Transport: w.Transport(), Timeout: 20 * time.Second}
		defer client.CloseIdleConnections()
		resp, err := client.Get("https://" + address)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "gateway" {
			t.Errorf("%s: %q, %v", url, body, err)
		}
		if p != nil {
			if asked := p.Asked(); asked != address {
				t.Errorf("%s: asked for %q, want %s", url, asked, address)
			}
		}
	}
	f("", nil)
	connect, secured, socks := outboundtest.NewConnect(t), outboundtest.NewConnect(t, ca.Pair(t, "proxy")), outboundtest.NewSOCKS(t)
	f("http://ada:secret@"+connect.Address, connect)
	f("https://ada:secret@"+secured.Address, secured)
	f("socks5://ada:secret@"+socks.Address, socks)
	f("socks5h://ada:secret@"+socks.Address+"/", socks)

	// What goes wrong is said without the password.
	g := func(url, says string) {
		t.Helper()
		o.Proxy = storage.NewSecret(url)
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := w.Dial(ctx, "tcp", address); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", url, err, says)
		}
	}
	g("http://ada:hunter2@"+connect.Address, "answers 407")
	g("socks5://ada:hunter2@"+socks.Address, "username/password authentication failed")
	g("http://ada:hunter2@"+address, "its answer: ")
	g("https://ada:hunter2@"+connect.Address, "first record does not look like a TLS handshake")
	g("http://ada:hunter2@127.0.0.1:1", "connection refused")
}

// A proxy that says nothing is waited for no longer than the caller waits.
func TestWay_Cancelled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, scheme := range []string{"http", "https", "socks5"} {
		w, err := New(Options{Proxy: storage.NewSecret(scheme + "://" + l.Addr().String())})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if c, err := l.Accept(); err == nil {
				_, _ = c.Read(make([]byte, 1))
				cancel()
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}
		}()
		if c, err := w.Dial(ctx, "tcp", "localhost:1"); err == nil {
			_ = c.Close()
			t.Errorf("%s: connected", scheme)
		}
	}
}

func TestNew(t *testing.T) {
	ca, dir := edgetest.NewAuthority(t), t.TempDir()
	cert, key := ca.Write(t, dir, "a", time.Hour)
	f := func(o Options, says string) {
		t.Helper()
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v, want %q", err, says)
		}
	}
	for _, url := range []string{"ftp://ada:hunter2@proxy", "proxy:3128", "http://", "http://proxy/path", "http://proxy?hunter2", "http://ada:hunter2@proxy:port"} {
		f(Options{Proxy: storage.NewSecret(url)}, "proxy: is no URL such as")
	}
	f(Options{CAFile: dir + "/none"}, "ca_file: open")
	f(Options{CAFile: key}, "holds no certificate")
	f(Options{CertFile: cert}, "cert_file and key_file: one of them is missing")
	f(Options{CertFile: key, KeyFile: cert}, "cert_file: ")

	// A way is another one when what its files hold is.
	o := Options{CAFile: edgetest.File(t, dir, "ca", ca.PEM())}
	id := func() string {
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		return w.ID()
	}
	first := id()
	if id() != first {
		t.Error("the same way has another id")
	}
	edgetest.File(t, dir, "ca", edgetest.NewAuthority(t).PEM())
	if id() == first {
		t.Error("another authority, and the same way")
	}
	if (*Way)(nil).ID() != "" || (*Way)(nil).TLS("a").ServerName != "a" {
		t.Error("the way of no options")
	}
}
