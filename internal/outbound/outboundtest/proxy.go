// Package outboundtest has proxies for tests.
package outboundtest

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Proxy is one that wants a user, ada with the password secret.
type Proxy struct {
	Address string // host:port
	mu      sync.Mutex
	asked   []string
}

// Asked gives the addresses that were asked for since the last time.
func (p *Proxy) Asked() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := strings.Join(p.asked, " ")
	p.asked = nil
	return all
}

func (p *Proxy) note(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, address)
}

// join copies between a client and an address until either is done.
func join(client net.Conn, address string) {
	defer client.Close()
	up, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		_, _ = io.Copy(up, client)
		_ = up.Close()
	}()
	_, _ = io.Copy(client, up)
}

// NewConnect starts a proxy for CONNECT, behind TLS where there is a certificate.
func NewConnect(t *testing.T, certificates ...tls.Certificate) *Proxy {
	t.Helper()
	p := &Proxy{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		as := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
		user, password, _ := as.BasicAuth()
		if r.Method != http.MethodConnect || user != "ada" || password != "secret" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		p.note(r.Host)
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		join(c, r.Host)
	}))
	if len(certificates) > 0 {
		server.TLS = &tls.Config{Certificates: certificates}
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	p.Address = server.Listener.Addr().String()
	return p
}

// NewSOCKS starts a proxy of RFC 1928, with users and passwords of RFC 1929.
func NewSOCKS(t *testing.T) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &Proxy{Address: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.socks(c)
		}
	}()
	return p
}

func (p *Proxy) socks(c net.Conn) {
	take := func(n byte) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(c, b) // what is missing is zero, and fits nothing
		return b
	}
	take(take(2)[1])
	_, _ = c.Write([]byte{5, 2})
	user := string(take(take(2)[1]))
	password := string(take(take(1)[0]))
	if user != "ada" || password != "secret" {
		_, _ = c.Write([]byte{1, 1})
		_ = c.Close()
		return
	}
	_, _ = c.Write([]byte{1, 0})
	host := ""
	switch take(4)[3] {
	case 1:
		host = net.IP(take(4)).String()
	case 3:
		host = string(take(take(1)[0]))
	case 4:
		host = net.IP(take(16)).String()
	}
	address := net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(take(2)))))
	p.note(address)
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	join(c, address)
}
