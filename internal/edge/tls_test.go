package edge

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/edge/edgetest"
)

const day = 24 * time.Hour

// serveTLS echoes one byte to each client, and gives the address.
func serveTLS(t *testing.T, secured *TLS) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for served := secured.Listener(l); ; {
			c, err := served.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.CopyN(c, c, 1) // a handshake that fails is the client's to tell
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// shakeHands connects, and gives what a client learns by it once the server has answered.
func shakeHands(t *testing.T, address string, config *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	config.ServerName = "localhost"
	c := tls.Client(raw, config)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write([]byte{1}); err != nil {
		return tls.ConnectionState{}, err
	}
	_, err = io.ReadFull(c, make([]byte, 1))
	return c.ConnectionState(), err
}

func TestTLS_Load(t *testing.T) {
	dir, ca := t.TempDir(), edgetest.NewAuthority(t)
	o := TLSOptions{}
	o.CertFile, o.KeyFile = ca.Write(t, dir, "first", 2*day)
	secured, err := NewTLS(o, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	at := serveTLS(t, secured)
	shows := func(name string) {
		t.Helper()
		state, err := shakeHands(t, at, &tls.Config{RootCAs: ca.Pool(), NextProtos: []string{"h2", "http/1.1"}})
		if err != nil || state.PeerCertificates[0].Subject.CommonName != name || state.NegotiatedProtocol != "http/1.1" || state.Version != tls.VersionTLS13 {
			t.Errorf("%+v, %v; want the certificate of %s", state, err, name)
		}
	}
	shows("first")

	// What is no better than what there is changes nothing, and is counted.
	bad := func(change TLSOptions, says string) {
		t.Helper()
		before, failed := secured.NotAfter(), secured.Failed()
		if err := secured.Load(change); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Load() = %v, want %q", err, says)
		}
		if secured.NotAfter() != before || secured.Failed() != failed+1 {
			t.Error("the bad certificate is in force, or was not counted")
		}
		shows("first")
	}
	other := o
	_, other.KeyFile = ca.Write(t, dir, "other", day)
	bad(other, "private key does not match")
	other.CertFile, other.KeyFile = ca.Write(t, dir, "old", -time.Minute)
	bad(other, "has expired at")
	bad(TLSOptions{CertFile: edgetest.File(t, dir, "torn", []byte("-----BEGIN CERT")), KeyFile: o.KeyFile}, "failed to find any PEM data")
	bad(TLSOptions{CertFile: o.CertFile, KeyFile: o.KeyFile, ClientCAFile: o.KeyFile}, "holds no certificate")

	o.CertFile, o.KeyFile = ca.Write(t, dir, "second", 3*day)
	if err := secured.Load(o); err != nil {
		t.Fatal(err)
	}
	shows("second")
	if left := time.Until(secured.NotAfter()); left < 3*day-time.Hour || left > 3*day {
		t.Errorf("it ends in %s", left)
	}
}

// The chain's first end is the certificate's.
func TestTLS_NotAfter(t *testing.T) {
	dir, ca := t.TempDir(), edgetest.NewAuthority(t)
	cert, key := ca.Issue(t, "leaf", 30*day)
	chain := append(cert, ca.PEM()...) // whose authority ends in a day
	secured, err := NewTLS(TLSOptions{CertFile: edgetest.File(t, dir, "c", chain), KeyFile: edgetest.File(t, dir, "k", key)}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(secured.NotAfter()); left > day {
		t.Errorf("it ends in %s", left)
	}
}

func TestTLS_MinVersion(t *testing.T) {
	dir, ca := t.TempDir(), edgetest.NewAuthority(t)
	f := func(min, client uint16, want bool) {
		t.Helper()
		o := TLSOptions{MinVersion: min}
		o.CertFile, o.KeyFile = ca.Write(t, dir, "a", day)
		secured, err := NewTLS(o, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		_, err = shakeHands(t, serveTLS(t, secured), &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: client})
		if (err == nil) != want {
			t.Errorf("at least %s, client %s: %v", tls.VersionName(min), tls.VersionName(client), err)
		}
	}
	f(0, tls.VersionTLS11, false)
	f(tls.VersionTLS12, tls.VersionTLS12, true)
	f(tls.VersionTLS13, tls.VersionTLS12, false)
	f(tls.VersionTLS13, tls.VersionTLS13, true)
}

func TestTLS_Clients(t *testing.T) {
	dir, ca, stranger := t.TempDir(), edgetest.NewAuthority(t), edgetest.NewAuthority(t)
	o := TLSOptions{ClientCAFile: edgetest.File(t, dir, "ca", ca.PEM())}
	o.CertFile, o.KeyFile = ca.Write(t, dir, "server", day)
	secured, err := NewTLS(o, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	at := serveTLS(t, secured)
	f := func(what string, config *tls.Config, want bool) {
		t.Helper()
		config.RootCAs = ca.Pool()
		if _, err := shakeHands(t, at, config); (err == nil) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	own, foreign := ca.Pair(t, "client"), stranger.Pair(t, "client")
	present := func(c tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
	}
	f("none, though one is required", &tls.Config{}, false)
	f("one of the authority's", &tls.Config{GetClientCertificate: present(own)}, true)
	f("a stranger's", &tls.Config{GetClientCertificate: present(foreign)}, false)

	// A session that began under another authority is not resumed under this one.
	kept := &tls.Config{GetClientCertificate: present(own), ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	f("the first time", kept, true)
	if state, err := shakeHands(t, at, kept); err != nil || !state.DidResume {
		t.Errorf("resumed: %v, %v", state.DidResume, err)
	}
	o.ClientCAFile = edgetest.File(t, dir, "ca", stranger.PEM())
	if err := secured.Load(o); err != nil {
		t.Fatal(err)
	}
	f("one of the authority's of before", kept, false)
	f("one of the new authority's", &tls.Config{GetClientCertificate: present(foreign)}, true)

	o.ClientOptional = true
	if err := secured.Load(o); err != nil {
		t.Fatal(err)
	}
	f("none, where it is optional", &tls.Config{}, true)
	f("a wrong one, where it is optional", &tls.Config{GetClientCertificate: present(own)}, false)
}

func TestAuthorities(t *testing.T) {
	if _, err := Authorities(t.TempDir() + "/none"); !os.IsNotExist(err) {
		t.Error(err)
	}
}
