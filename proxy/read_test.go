package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// Past the memory of all bodies a client is told so in its own language, though it looks for the
// answer only when it has sent all of its body; and the memory stays as it was.
func TestGateway_BodiesPastTheMemory(t *testing.T) {
	g := newTestGateway(t, one(t, always(chunkHead)), func(o *Options, _ *Snapshot) {
		o.Limits.MaxBody, o.Limits.BodyMemory = 16<<20, 16<<20
	})
	if !g.memory.take(16 << 20) {
		t.Fatal("there is no memory")
	}
	body := `{"model":"one/m","messages":[{"role":"user","content":"` + strings.Repeat("x", 12<<20) + `"}]}`
	f := func(path, header, kind, says string, chunked bool) {
		t.Helper()
		c, err := net.Dial("tcp", g.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		framing := fmt.Sprintf("content-length: %d", len(body))
		if chunked {
			framing = "transfer-encoding: chunked"
		}
		_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n%s%s\r\n%s\r\n\r\n", path, header, testKey, framing)
		if err == nil && chunked {
			w := httputil.NewChunkedWriter(c)
			if _, err = io.WriteString(w, body); err == nil {
				err = w.Close()
			}
			if err == nil {
				_, err = io.WriteString(c, "\r\n")
			}
		} else if err == nil {
			_, err = io.WriteString(c, body)
		}
		if err != nil {
			t.Fatalf("%s: the body is not taken in: %v", path, err)
		}
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("retry-after") != "1" || gjson.GetBytes(text, kind).String() != says {
			t.Errorf("%s: %d, retry-after %q, error %v: %s", path, response.StatusCode, response.Header.Get("retry-after"), err, text)
		}
		g.records.next(t)
	}
	for _, chunked := range []bool{false, true} {
		f("/v1/chat/completions", "authorization: Bearer ", "error.code", "overloaded", chunked)
		f("/anthropic/v1/messages", "x-api-key: ", "error.type", "overloaded_error", chunked)
		f("/gemini/v1beta/models/one%2Fm:generateContent", "x-goog-api-key: ", "error.status", "UNAVAILABLE", chunked)
	}
	if left := g.memory.left.Load(); left != 0 {
		t.Errorf("%d bytes were given back that were never taken", left)
	}
}
