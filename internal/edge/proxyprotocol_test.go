package edge

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/aistrale/aistrale/storage"
)

// headerOf gives a PROXY header of a version, from 203.0.113.9.
func headerOf(t *testing.T, version byte) string {
	t.Helper()
	var b strings.Builder
	from, to := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 9), Port: 4711}, &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 443}
	if _, err := proxyproto.HeaderProxyFromAddrs(version, from, to).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestProxyProtocol(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var trusted atomic.Pointer[storage.Networks]
	served := ProxyProtocol(l, func() storage.Networks { return *trusted.Load() })
	t.Cleanup(func() { _ = served.Close() })
	go func() {
		for {
			c, err := served.Accept()
			if err != nil {
				return
			}
			go func() { // says who asks, and what the first line is
				defer c.Close()
				line, err := bufio.NewReader(c).ReadString('\n')
				if err != nil {
					return
				}
				_, _ = fmt.Fprintf(c, "%s %s", AddressOf(c.RemoteAddr()), line)
			}()
		}
	}()
	f := func(by storage.Networks, sent, want string) {
		t.Helper()
		trusted.Store(&by)
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(c, sent)
		got, _ := io.ReadAll(c) // one that is not served may be reset
		if string(got) != want {
			t.Errorf("%q: %q, want %q", sent, got, want)
		}
	}
	loopback := networks(t, "127.0.0.0/8")
	f(loopback, headerOf(t, 1)+"GET /\n", "203.0.113.9 GET /\n")
	f(loopback, headerOf(t, 2)+"GET /\n", "203.0.113.9 GET /\n")
	// A balancer that asks for itself.
	f(loopback, "PROXY UNKNOWN\r\nGET /\n", "127.0.0.1 GET /\n")
	// A trusted proxy that sends none, a torn one, or one without end.
	f(loopback, "GET /\nmore than a header has\n", "")
	f(loopback, "PROXY TCP4 203.0.113.9\r\nGET /\n", "")
	f(loopback, "PROXY TCP4 "+strings.Repeat("1", 4096), "")
	f(loopback, headerOf(t, 2)[:14]+"\xff\xff"+strings.Repeat("x", 1<<16)+"GET /\n", "")
	// From anybody else it is the client's own bytes.
	f(networks(t, "10.0.0.0/8"), "PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n", "127.0.0.1 PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n")
	f(nil, "GET /\n", "127.0.0.1 GET /\n")
}
