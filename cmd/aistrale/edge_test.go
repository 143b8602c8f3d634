package main_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/internal/edge/edgetest"
)

// An edged is a program behind TLS, which its control plane wants of clients too.
type edged struct {
	*place
	*program
	ca   *edgetest.Authority
	data string // https://localhost:port
	root string // the control plane's token
}

// serveEdged runs the program with more in its config.
func serveEdged(t *testing.T, more string) *edged {
	t.Helper()
	e := &edged{place: newPlace(t, "AISTRALE_MASTER_KEY="+base64.StdEncoding.EncodeToString(make([]byte, 32))), ca: edgetest.NewAuthority(t)}
	edgetest.File(t, e.dir, "ca.crt", e.ca.PEM())
	e.ca.Write(t, e.dir, "client", time.Hour)
	e.ca.Write(t, e.dir, "server", 48*time.Hour)
	e.root = rootToken(t, filepath.Join(e.dir, "data"))
	e.program = e.serve(t, `
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
tls: {cert_file: server.crt, key_file: server.key}
admin_tls: {cert_file: server.crt, key_file: server.key, client_ca_file: ca.crt, min_version: "1.3"}
providers: [{name: mock}]
keys:
  - {name: full, key: `+fullKey+`}
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
	e := serveEdged(t, `  - {name: narrow, key: `+narrowKey+`, allow_addresses: [203.0.113.0/24]}
trusted_proxies: [127.0.0.1]
admin_allow: [192.0.2.0/24, 127.0.0.1]
`)
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
	t.Run("addresses", func(t *testing.T) { e.addresses(t) })
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

	for listener := range strings.FieldsSeq("gateway control_plane") {
		if until := e.told(t, control, "not_after_seconds", listener); until != float64(first.NotAfter.Unix()) {
			t.Errorf("the metric of %s says %f, and the certificate %s", listener, until, first.NotAfter)
		}
		if failed := e.told(t, control, "reloads_failed_total", listener); failed != 0 {
			t.Errorf("%f loads of %s failed", failed, listener)
		}
	}

	edgetest.File(t, e.dir, "server.crt", []byte("no certificate"))
	e.says(t, `"msg":"the new certificate is not good; the old one stays in force","setting":"tls"`)
	if !e.shown(t).Equal(first) {
		t.Error("the certificate of before is no more in force")
	}
	if failed := e.told(t, control, "reloads_failed_total", "gateway"); failed < 1 {
		t.Errorf("the metric says that %f loads failed", failed)
	}
	e.ca.Write(t, e.dir, "server", 72*time.Hour)
	eventually(t, "the new certificate is shown", func() bool { return e.shown(t).NotAfter.After(first.NotAfter) })
	if until := e.told(t, control, "not_after_seconds", "gateway"); until <= float64(first.NotAfter.Unix()) {
		t.Errorf("the metric says %f of the new certificate", until)
	}
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

// told gives a metric of a listener's certificate.
func (e *edged) told(t *testing.T, c *http.Client, name, listener string) float64 {
	t.Helper()
	_, text := e.ask(t, c, e.admin+"/metrics", "", "", "")
	_, line, _ := strings.Cut(text, "\naistrale_certificate_"+name+`{listener="`+listener+`"} `)
	line, _, _ = strings.Cut(line, "\n")
	value, err := strconv.ParseFloat(line, 64)
	if err != nil {
		t.Fatalf("%s of %s: %v", name, listener, err)
	}
	return value
}

// ask sends a request by way of a proxy that says who the client is.
func (e *edged) ask(t *testing.T, c *http.Client, url, token, client, body string) (int, string) {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+token)
	req.Header.Set("content-type", "application/json")
	req.Header.Set("x-forwarded-for", client)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// addresses holds keys and the control plane to where they may be used.
func (e *edged) addresses(t *testing.T) {
	pair, err := tls.X509KeyPair(e.ca.Issue(t, "somebody", time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	data, control := e.client(t), e.client(t, pair)
	status, body := e.ask(t, control, e.admin+"/admin/v1/keys", e.root, "192.0.2.55", `{"name":"stored","settings":{"allow_addresses":["198.51.100.0/24","2001:db8::/32"]}}`)
	if status != http.StatusCreated {
		t.Fatal(status, body)
	}
	stored := gjson.Get(body, "key").Str
	if status, body := e.ask(t, control, e.admin+"/admin/v1/keys", e.root, "192.0.2.55", `{"name":"wrong","settings":{"allow_addresses":["198.51.100.1/24"]}}`); status != http.StatusUnprocessableEntity || !strings.Contains(body, "allow_addresses") {
		t.Error(status, body)
	}
	f := func(key, client string, want int) {
		t.Helper()
		status, body := e.ask(t, data, e.data+"/v1/chat/completions", key, client, edgeAsk)
		if status != want || status == http.StatusForbidden && gjson.Get(body, "error.code").Str != "address_not_allowed" {
			t.Errorf("from %s: %d %s", client, status, body)
		}
	}
	f(fullKey, "198.51.100.7", http.StatusOK)
	f(narrowKey, "203.0.113.5", http.StatusOK)
	f(narrowKey, "203.0.113.5, 198.51.100.7", http.StatusForbidden)
	eventually(t, "the stored key is known", func() bool {
		status, _ := e.ask(t, data, e.data+"/v1/models", stored, "198.51.100.7", "")
		return status != http.StatusUnauthorized
	})
	f(stored, "198.51.100.7", http.StatusOK)
	f(stored, "203.0.113.5", http.StatusForbidden)
	e.says(t, `"client":"203.0.113.5","key_id":"narrow01"`)

	// The control plane knows who it is too, and lets in whom it may.
	if status, body := e.ask(t, control, e.admin+"/admin/v1/keys", e.root, "203.0.113.5", ""); status != http.StatusForbidden || body != "forbidden\n" {
		t.Error(status, body)
	}
	if status, body := e.ask(t, control, e.admin+"/admin/v1/session", "", "192.0.2.77", `{"name":"nobody","password":"a password of nobody"}`); status != http.StatusUnauthorized {
		t.Error(status, body)
	}
	eventually(t, "the audit log has both addresses", func() bool {
		_, body := e.ask(t, control, e.admin+"/admin/v1/audit", e.root, "127.0.0.1", "")
		return strings.Contains(body, `"address":"192.0.2.55"`) && strings.Contains(body, `"address":"192.0.2.77"`)
	})
}

// Behind a balancer of TCP the client is who the PROXY header says, below TLS.
func TestEdge_ProxyProtocol(t *testing.T) {
	t.Parallel()
	e := serveEdged(t, "trusted_proxies: [127.0.0.1]\nproxy_protocol: true\n")
	args := []string{"-sS", "--cacert", filepath.Join(e.dir, "ca.crt"), "-H", "authorization: Bearer " + fullKey, "-d", edgeAsk, e.data + "/v1/chat/completions"}
	out, err := client(t, "curl", append([]string{"--haproxy-protocol"}, args...)...)
	if err != nil || !strings.Contains(out, "data: [DONE]") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := client(t, "curl", args...); err == nil {
		t.Errorf("without a header: %s", out)
	}
}
