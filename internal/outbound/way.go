// Package outbound makes the connections to upstreams: directly or by way of a proxy, to servers
// that an authority of the operator's has signed, and with a certificate of the gateway's own.
package outbound

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/net/proxy"

	"github.com/aistrale/aistrale/storage"
)

// Options say how an upstream is reached. The zero value is directly, and as the system trusts.
type Options struct {
	Proxy             storage.Secret // http, https or socks5://user:password@host:port; empty: none
	CAFile            string         // PEM: who signs upstreams' certificates; "": who the system trusts
	CertFile, KeyFile string         // PEM: the gateway's own certificate; "": none
}

// Way is one such way. The nil one is that of no options. Nothing of the environment is looked at.
type Way struct {
	id       string
	proxy    *url.URL // nil: none
	upstream *tls.Config
	toProxy  *tls.Config
}

// New reads the files. Its errors name the option, and quote nothing of the proxy's address.
func New(o Options) (*Way, error) {
	w := &Way{upstream: &tls.Config{MinVersion: tls.VersionTLS12}, toProxy: &tls.Config{MinVersion: tls.VersionTLS12}}
	sum := sha256.New()
	keep := func(text []byte) { fmt.Fprintf(sum, "%d %s", len(text), text) }
	if text := o.Proxy.Reveal(); text != "" {
		if w.proxy = readProxy(text); w.proxy == nil {
			return nil, errors.New("proxy: is no URL such as http://user:password@proxy.example.com:3128, or https, socks5 or socks5h, without a path")
		}
		w.toProxy.ServerName = w.proxy.Hostname()
	}
	keep([]byte(o.Proxy.Reveal()))
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		w.upstream.RootCAs = x509.NewCertPool()
		if !w.upstream.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate", o.CAFile)
		}
		if w.toProxy.RootCAs, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("the system's certificates: %w", err)
		}
		w.toProxy.RootCAs.AppendCertsFromPEM(text)
		keep(text)
	}
	switch {
	case o.CertFile == "" && o.KeyFile == "":
	case o.CertFile == "" || o.KeyFile == "":
		return nil, errors.New("cert_file and key_file: one of them is missing")
	default:
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cert_file: %w", err)
		}
		w.upstream.Certificates = []tls.Certificate{pair}
		keep(pair.Leaf.Raw)
	}
	w.id = string(sum.Sum(nil))
	return w, nil
}

func readProxy(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil
	}
	port := map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	if port == "" {
		return nil
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return u
}

// ID tells ways apart, by what their files held too.
func (w *Way) ID() string {
	if w == nil {
		return ""
	}
	return w.id
}

// TLS gives what a connection to an upstream of a name is secured with; "" leaves the name open.
func (w *Way) TLS(serverName string) *tls.Config {
	if w == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	}
	c := w.upstream.Clone()
	c.ServerName = serverName
	return c
}

// Transport gives what asks web servers this way.
func (w *Way) Transport() *http.Transport {
	return &http.Transport{DialContext: w.Dial, TLSClientConfig: w.TLS(""), ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second}
}

// Dial connects to host:port, whose name the proxy looks up where there is one.
func (w *Way) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	plain := &net.Dialer{KeepAlive: 15 * time.Second}
	if w == nil || w.proxy == nil {
		return plain.DialContext(ctx, network, address)
	}
	c, err := plain.DialContext(ctx, network, w.proxy.Host)
	if err != nil {
		return nil, w.failed(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	through, err := w.through(ctx, c, address)
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		_ = c.Close()
		return nil, w.failed(err)
	}
	return through, nil
}

func (w *Way) failed(err error) error {
	return fmt.Errorf("by way of the proxy %s://%s: %w", w.proxy.Scheme, w.proxy.Host, err)
}

// through has the proxy at the other end of c connect to an address.
func (w *Way) through(ctx context.Context, c net.Conn, address string) (net.Conn, error) {
	switch w.proxy.Scheme {
	case "socks5", "socks5h":
		return c, w.socks(ctx, c, address)
	case "https":
		t := tls.Client(c, w.toProxy)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return t, w.connect(t, address)
	}
	return c, w.connect(c, address)
}

// maxAnswer bounds a proxy's answer to CONNECT in bytes.
const maxAnswer = 16 << 10

func (w *Way) connect(c net.Conn, address string) error {
	ask := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if u := w.proxy.User; u != nil {
		password, _ := u.Password()
		ask += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(c, ask+"\r\n"); err != nil {
		return err
	}
	r := bufio.NewReader(io.LimitReader(c, maxAnswer))
	resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return fmt.Errorf("its answer: %w", err)
	}
	_ = resp.Body.Close() // it has none where the connection is made
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %d to CONNECT %s", resp.StatusCode, address)
	}
	if r.Buffered() > 0 {
		return errors.New("it sends more than its answer")
	}
	return nil
}

func (w *Way) socks(ctx context.Context, c net.Conn, address string) error {
	var auth *proxy.Auth
	if u := w.proxy.User; u != nil {
		auth = &proxy.Auth{User: u.Username()}
		auth.Password, _ = u.Password()
	}
	d, err := proxy.SOCKS5("tcp", w.proxy.Host, auth, made{c})
	if err != nil {
		return err
	}
	dialer, ok := d.(proxy.ContextDialer)
	if !ok {
		return errors.New("the SOCKS client takes no context")
	}
	_, err = dialer.DialContext(ctx, "tcp", address) // what it gives is c, wrapped
	return err
}

// made is a dialer that has its connection.
type made struct{ c net.Conn }

// Dial implements proxy.Dialer.
func (m made) Dial(string, string) (net.Conn, error) { return m.c, nil }

// DialContext implements proxy.ContextDialer.
func (m made) DialContext(context.Context, string, string) (net.Conn, error) { return m.c, nil }
