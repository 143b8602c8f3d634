package guard

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func guardOf(t *testing.T, r Rules) *Guard {
	t.Helper()
	g, err := New(r)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestReachable(t *testing.T) {
	strict := guardOf(t, Rules{Ports: []uint16{80, 443}})
	open := guardOf(t, Rules{Allow: []string{"10.1.0.0/16", "192.168.1.1", "fd00::/8", "::ffff:172.16.0.1"}})
	f := func(g *Guard, address string, ok bool) {
		t.Helper()
		if err := g.reachable(address); (err == nil) != ok || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", address, err)
		}
	}
	f(strict, "93.184.216.34:443", true)
	f(strict, "[2606:2800:220:1:248:1893:25c8:1946]:443", true)
	f(strict, "93.184.216.34:22", false)
	f(open, "93.184.216.34:8443", true)
	for _, ip := range []string{
		"127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
		"224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1",
	} {
		f(strict, ip+":80", false)
		f(strict, "[::ffff:"+ip+"]:80", false)
	}
	for _, ip := range []string{
		"::7f00:1", "::ffff:0:7f00:1", "64:ff9b::7f00:1%lo", "2002:7f00:1::%lo", "::ffff:127.0.0.1%lo", "fec0::1", "3fff::1", "5f00::1",
		"::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:db8::1", "2001::1",
	} {
		f(strict, "["+ip+"]:443", false)
	}
	for address, ok := range map[string]bool{
		"10.1.2.3:80": true, "[::ffff:10.1.2.3]:80": true, "10.2.0.1:80": false, "192.168.1.1:80": true, "192.168.1.2:80": false,
		"[fd00::1]:80": true, "[fe80::1]:80": false, "172.16.0.1:80": true, "[64:ff9b::a01:203]:80": false, "[2002:a01:203::]:80": false,
	} {
		f(open, address, ok)
	}
}

func TestNew(t *testing.T) {
	for _, entry := range []string{"", "10.0.0.0/33", "http://x", "x:80", "*.internal", "a b", "u@x"} {
		if _, err := New(Rules{Allow: []string{entry}}); err == nil {
			t.Errorf("%q was taken", entry)
		}
	}
}

func TestCheck(t *testing.T) {
	strict, open := guardOf(t, Rules{}), guardOf(t, Rules{HTTP: true, Allow: []string{"10.0.0.1", "Hooks.Internal."}})
	f := func(g *Guard, address string, ok bool) {
		t.Helper()
		u, err := url.Parse(address)
		if err == nil {
			err = g.Check(u)
		}
		if (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	f(strict, "https://example.com/hook?x=y", true)
	f(open, "http://10.0.0.1:8080/", true)
	f(open, "http://hooks.internal/", true)
	f(open, "http://HOOKS.internal.:9/", true)
	for _, address := range []string{
		"http://example.com/", "ftp://example.com/", "https:///x", "https:example.com", "https://user@example.com/", "https://u:p@example.com/",
		"https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest", "https://[fe80::1%25eth0]/",
		"https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://0.0.0.0/", "//x", "", "https://10.0.0.1/",
	} {
		f(strict, address, false)
	}
}

// dns answers every question with the address of the moment.
type dns struct {
	address string
	answer  atomic.Pointer[netip.Addr]
}

func newDNS(t *testing.T, ip string) *dns {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	d := &dns{address: conn.LocalAddr().String()}
	d.says(ip)
	go func() {
		for buf := make([]byte, 512); ; {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(d.reply(buf[:n]), from)
		}
	}()
	return d
}

func (d *dns) says(ip string) {
	addr := netip.MustParseAddr(ip)
	d.answer.Store(&addr)
}

// reply is RFC 1035: the header, the question, and for one of type A the answer.
func (d *dns) reply(asked []byte) []byte {
	end := 12
	for asked[end] != 0 {
		end += int(asked[end]) + 1
	}
	end += 5
	out := append([]byte{asked[0], asked[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, asked[12:end]...)
	if binary.BigEndian.Uint16(asked[end-4:]) != 1 {
		return out
	}
	out[7] = 1
	ip := d.answer.Load().As4()
	return append(append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), ip[:]...)
}

func (d *dns) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "udp", d.address)
	}}
}

// A name that led to an allowed address, and then to another one, is not followed there.
func TestClient_RefusesAnAnswerThatChanges(t *testing.T) {
	called := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called++ }))
	defer s.Close()
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	names := newDNS(t, "127.0.0.1")
	g := guardOf(t, Rules{HTTP: true, Allow: []string{"127.0.0.1"}})
	g.dialer.Resolver = names.resolver()
	client := g.Client(5 * time.Second)
	ask := func() error {
		r, err := client.Get("http://hook.example.com:" + port + "/?token=canary")
		if err == nil {
			r.Body.Close()
			client.CloseIdleConnections()
		}
		return err
	}
	if err := ask(); err != nil || called != 1 {
		t.Fatalf("%d calls, %v", called, err)
	}
	for _, ip := range []string{"127.0.0.2", "10.0.0.1", "169.254.169.254", "0.0.0.0"} {
		names.says(ip)
		if err := ask(); !errors.Is(err, ErrRefused) || strings.Contains(Cause(err).Error(), "canary") {
			t.Errorf("%s: %v", ip, err)
		}
	}
	g.hosts = []string{"hook.example.com"} // whose addresses are the operator's word
	names.says("127.0.0.1")
	g.ranges = nil
	if err := ask(); err != nil || called != 2 {
		t.Errorf("an allowed host: %d calls, %v", called, err)
	}
}

func TestClient_Redirects(t *testing.T) {
	secret := 0
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { secret++ }))
	defer inside.Close()
	to := ""
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	}))
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip(err)
	}
	s.Listener.Close()
	s.Listener = l
	s.Start()
	defer s.Close()
	for _, to = range []string{inside.URL, "http://localhost/", "file:///etc/passwd", "http://u:p@127.0.0.2/", "gopher://127.0.0.2", s.URL} {
		r, err := guardOf(t, Rules{HTTP: true, Allow: []string{"127.0.0.2"}, Redirects: 3}).Client(5 * time.Second).Get(s.URL)
		if err == nil {
			r.Body.Close()
			t.Errorf("%s was followed", to)
		}
	}
	r, err := guardOf(t, Rules{HTTP: true, Allow: []string{"127.0.0.2"}}).Client(5*time.Second).Post(s.URL, "", strings.NewReader("x"))
	if err != nil || r.StatusCode != http.StatusTemporaryRedirect {
		t.Fatalf("a redirect that is not followed: %v", err)
	}
	r.Body.Close()
	if secret > 0 {
		t.Error("what is inside was called")
	}
}

// The environment's proxy would resolve and call in the guard's place.
func TestClient_NoProxy(t *testing.T) {
	asked := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; _, _ = io.WriteString(w, "x") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("ALL_PROXY", proxy.URL)
	g := guardOf(t, Rules{HTTP: true})
	g.dialer.Resolver = newDNS(t, "10.9.9.9").resolver()
	if r, err := g.Client(time.Second).Get("http://hook.example.com/"); err == nil {
		r.Body.Close()
		t.Error("it was called")
	}
	if asked > 0 {
		t.Error("the proxy was asked")
	}
}
