package main_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/edge/edgetest"
)

// An edged is a program behind TLS, which its control plane wants of clients too.
type edged struct {
	*place
	*program
	ca   *edgetest.Authority
	data string // https://localhost:port
}

// serveEdged runs the program with more in its config.
func serveEdged(t *testing.T, more string) *edged {
	t.Helper()
	e := &edged{place: newPlace(t), ca: edgetest.NewAuthority(t)}
	edgetest.File(t, e.dir, "ca.crt", e.ca.PEM())
	e.ca.Write(t, e.dir, "client", time.Hour)
	e.ca.Write(t, e.dir, "server", 48*time.Hour)
	e.program = e.serve(t, `
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
tls: {cert_file: server.crt, key_file: server.key}
admin_tls: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, min_version: "1.3"}
providers: [{name: mock}]
keys: [{name: full, key: `+fullKey+`}]
`+more)
	e.data = "https://localhost" + e.url[strings.LastIndex(e.url, ":"):]
	e.admin = "https://localhost" + e.admin[strings.LastIndex(e.admin, ":"):]
	return e
}

// client speaks TLS with the program, with a certificate where there is one.
func (e *edged) client(t *testing.T, certificates ...tls.Certificate) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: e.ca.Pool(), Certificates: certificates}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// shown gives the certificate that the data plane shows now.
func (e *edged) shown(t *testing.T) *x509.Certificate {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(e.data, "https://"), &tls.Config{RootCAs: e.ca.Pool()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0]
}

// client runs a program of clients'.
func client(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is missing: it is no client of the edge")
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	return string(out), err
}

const edgeAsk = `{"model":"mock/gpt","stream":true,"messages":[{"role":"user","content":"Hello!"}]}`

func TestEdge(t *testing.T) {
	t.Parallel()
	e := serveEdged(t, "")
	file := func(name string) string { return filepath.Join(e.dir, name) }

	t.Run("curl", func(t *testing.T) {
		out, err := client(t, "curl", "-sS", "-N", "--http2", "--cacert", file("ca.crt"), "-H", "authorization: Bearer "+fullKey, "-d", edgeAsk, "-w", "%{http_version} %{http_code}", e.data+"/v1/chat/completions")
		if err != nil || !strings.Contains(out, "data: [DONE]") || !strings.HasSuffix(out, "1.1 200") {
			t.Errorf("%v\n%s", err, out)
		}
		if out, err := client(t, "curl", "-sS", "--cacert", file("ca.crt"), e.admin+"/healthz"); err == nil {
			t.Errorf("without a certificate: %s", out)
		}
		out, err = client(t, "curl", "-sS", "-i", "--cacert", file("ca.crt"), "--cert", file("client.crt"), "--key", file("client.key"), e.admin+"/healthz")
		if err != nil || !strings.HasSuffix(out, "ok\n") || !strings.Contains(strings.ToLower(out), "strict-transport-security: max-age") {
			t.Errorf("with a certificate: %v\n%s", err, out)
		}
	})
	t.Run("openssl", func(t *testing.T) {
		at := strings.TrimPrefix(e.data, "https://")
		out, err := client(t, "openssl", "s_client", "-connect", at, "-CAfile", file("ca.crt"), "-verify_return_error", "-alpn", "h2,http/1.1", "-brief")
		if err != nil || !strings.Contains(out, "Verification: OK") || !strings.Contains(out, "TLSv1.3") {
			t.Errorf("%v\n%s", err, out)
		}
		if out, err := client(t, "openssl", "s_client", "-connect", at, "-CAfile", file("ca.crt"), "-tls1_1"); err == nil {
			t.Errorf("TLS 1.1: %s", out)
		}
		if out, err := client(t, "openssl", "s_client", "-connect", strings.TrimPrefix(e.admin, "https://"), "-CAfile", file("ca.crt"), "-tls1_2"); err == nil {
			t.Errorf("TLS 1.2 where 1.3 is wanted: %s", out)
		}
	})
	t.Run("node", func(t *testing.T) {
		out, err := client(t, "node", "-e", fmt.Sprintf(`
const ask = require('https').request(%q, {method: 'POST', ca: require('fs').readFileSync(%q), ALPNProtocols: ['http/1.1'],
  headers: {authorization: 'Bearer %s'}}, r => { r.setEncoding('utf8'); r.on('data', d => process.stdout.write(d)) });
ask.end(%q)`, e.data+"/v1/chat/completions", file("ca.crt"), fullKey, edgeAsk))
		if err != nil || !strings.Contains(out, "data: [DONE]") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("reload", func(t *testing.T) { e.renews(t) })
}

// renews holds the certificates to be read anew, on connections that come after.
func (e *edged) renews(t *testing.T) {
	pair, err := tls.X509KeyPair(e.ca.Issue(t, "somebody", time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	before, control := e.client(t), e.client(t, pair)
	ask := func(c *http.Client, url string) error {
		resp, err := c.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := ask(before, e.data+"/healthz"); err != nil {
		t.Fatal(err)
	}
	first := e.shown(t)
	e.says(t, `"msg":"the certificate ends soon, or has ended","setting":"tls"`)

	edgetest.File(t, e.dir, "server.crt", []byte("no certificate"))
	e.says(t, `"msg":"the new certificate is not good; the old one stays in force","setting":"tls"`)
	if !e.shown(t).Equal(first) {
		t.Error("the certificate of before is no more in force")
	}
	e.ca.Write(t, e.dir, "server", 72*time.Hour)
	eventually(t, "the new certificate is shown", func() bool { return e.shown(t).NotAfter.After(first.NotAfter) })
	if err := ask(before, e.data+"/healthz"); err != nil {
		t.Errorf("on a connection of before: %v", err)
	}

	// Who signs the certificates of clients is another one.
	if err := ask(control, e.admin+"/healthz"); err != nil {
		t.Error(err)
	}
	control.CloseIdleConnections()
	other := edgetest.NewAuthority(t)
	edgetest.File(t, e.dir, "ca.crt", other.PEM())
	eventually(t, "the authority of before is none any more", func() bool {
		control.CloseIdleConnections()
		return ask(control, e.admin+"/healthz") != nil
	})
	if pair, err = tls.X509KeyPair(other.Issue(t, "somebody else", time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := ask(e.client(t, pair), e.admin+"/healthz"); err != nil {
		t.Errorf("by the new authority: %v", err)
	}
}
