package proxy

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestGuard(t *testing.T) {
	f := func(address string, ok bool) {
		t.Helper()
		if err := guard(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	f("93.184.216.34:443", true)
	f("[2606:2800:220:1:248:1893:25c8:1946]:443", true)
	f("93.184.216.34:22", false)
	for _, ip := range []string{
		"127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
		"224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1",
	} {
		f(ip+":80", false)
		f("[::ffff:"+ip+"]:80", false)
	}
	for _, ip := range []string{"::1", "::", "fe80::1", "fc00::1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1"} {
		f("["+ip+"]:443", false)
	}
}

func TestFetch_RefusesPrivateAddresses(t *testing.T) {
	called := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer s.Close()
	fetcher := NewFetcher(1000, time.Second)
	for _, u := range []string{s.URL, "file:///etc/passwd", "http://user:pass@93.184.216.34/", "gopher://x", "http://localhost/"} {
		if _, err := fetcher.Fetch(context.Background(), u); err == nil {
			t.Errorf("%s was fetched", u)
		}
	}
	if called {
		t.Error("a private address was called")
	}
}
