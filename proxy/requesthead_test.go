package proxy

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestRequestHead(t *testing.T) {
	h := newRequestHead("/v1/", "provider.test:8443", "aistrale/1")
	key := []providers.Header{{Name: "x-api-key", Value: "k"}}
	const lines = " HTTP/1.1\r\nHost: provider.test:8443\r\nUser-Agent: aistrale/1\r\nx-api-key: k\r\n"
	for _, c := range []struct {
		method, path string
		size         int64
		want         string
	}{
		{"", "/chat", 12, "POST /v1/chat" + lines + "Content-Length: 12\r\n\r\n"},
		{"", "/chat", 0, "POST /v1/chat" + lines + "Content-Length: 0\r\n\r\n"},
		{"", "/files", -1, "POST /v1/files" + lines + "Transfer-Encoding: chunked\r\n\r\n"},
		{"GET", "//up/files?after=1", 0, "GET /up/files?after=1" + lines + "\r\n"},
		{"HEAD", "/files", 0, "HEAD /v1/files" + lines + "\r\n"},
		{"DELETE", "/files/1", 0, "DELETE /v1/files/1" + lines + "Content-Length: 0\r\n\r\n"},
	} {
		out := &providers.UpstreamRequest{Method: c.method, Path: c.path, Headers: key}
		if got := string(h.append([]byte("before "), out, c.size)); got != "before "+c.want {
			t.Errorf("%s %s of %d bytes:\n%s", c.method, c.path, c.size, got)
		}
	}
	nobody := newRequestHead("", "provider.test", "")
	if got := string(nobody.append(nil, &providers.UpstreamRequest{Path: "/"}, 0)); got != "POST / HTTP/1.1\r\nHost: provider.test\r\nContent-Length: 0\r\n\r\n" {
		t.Errorf("without an agent: %q", got)
	}
}

// Whatever stands in a value, it is one line of one request: the library that most servers in Go
// use reads no other lines than those that were meant.
func FuzzRequestHead(f *testing.F) {
	for _, value := range []string{"plain", "a\r\nx-other: 1", "a\n\nGET / HTTP/1.1", "\x00", "tab\tand blank ", ""} {
		f.Add(value, int64(7))
	}
	h := newRequestHead("", "provider.test", "agent\r\nx-agent: 1")
	f.Fuzz(func(t *testing.T, value string, size int64) {
		headers := []providers.Header{{Name: "x-one", Value: value}, {Name: "x-two", Value: "2"}}
		said := h.append(nil, &providers.UpstreamRequest{Path: "/x", Headers: headers}, size)
		if n := strings.Count(string(said), "\n"); n != 7 {
			t.Fatalf("%d lines: %q", n, said)
		}
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(said))))
		if err != nil {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				return // no server takes those, and all the less as another line
			}
			t.Fatalf("%v: %q", err, said)
		}
		if req.Header.Del("Content-Length"); len(req.Header) != 3 || req.Header.Get("x-two") != "2" || req.Header.Get("x-one") != strings.Trim(string(appendLine(nil, value)), " \t") {
			t.Fatalf("%q became %v", value, req.Header)
		}
		if want := max(size, -1); req.ContentLength != want {
			t.Fatalf("%d bytes, want %d", req.ContentLength, want)
		}
	})
}
