package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Of a large body, which is sent in parts, the upstream gets all bytes in their order, wherever what
// is edited stands, and again where the kept connection had died.
func TestGateway_LargeBodiesAreExact(t *testing.T) {
	got := make(chan string, 4)
	s := &script{}
	s.accept(t, func(c net.Conn, conn int) {
		defer func() { _ = c.Close() }()
		for r, request := bufio.NewReader(c), 1; ; request++ {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(req.Body)
			got <- string(body)
			if request == 2 {
				return // dies before it answers
			}
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", len(wholeReply), wholeReply)
		}
	})
	g := newTestGateway(t, map[string]*script{"one": s})
	f := func(body, want string) {
		t.Helper()
		for range 2 {
			if status, _, answer := g.post(t, body); status != http.StatusOK {
				t.Fatalf("%d %s", status, answer)
			}
			g.records.next(t)
		}
		if len(got) < 3 {
			t.Errorf("%d requests came, want one to have been repeated", len(got))
		}
		for len(got) > 0 {
			if sent := <-got; sent != want {
				t.Errorf("sent %d bytes, %.60s…%s, want %d, %.60s…%s", len(sent), sent, sent[max(0, len(sent)-60):], len(want), want, want[len(want)-60:])
			}
		}
	}
	messages := `"messages":[{"role":"user","content":"` + strings.Repeat(`a \"quote\" – and a line\n`, 9000) + `"}]`
	f(`{"model":"one/m",`+messages+`}`, `{"model":"m",`+messages+`}`)
	f(`{`+messages+` , "model" : "one/m" }`, `{`+messages+` , "model" : "m" }`)
	f(`{"n":1,"model":"one/m",`+messages+`,"metadata":{"a":"b"}}`, `{"n":1,"model":"m",`+messages+`,"metadata":{"a":"b"}}`)
	f(`{"metadata":{"m":"`+strings.Repeat("m", 70_000)+`"},"model":"one/m",`+messages+`}`, `{"metadata":{"m":"`+strings.Repeat("m", 70_000)+`"},"model":"m",`+messages+`}`)
}
