package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// A body in parts comes as one, however many there are and however long they are.
func TestExchange_Parts(t *testing.T) {
	got := make(chan []byte, 1)
	s := &script{}
	s.accept(t, func(c net.Conn, _ int) {
		defer func() { _ = c.Close() }()
		r := bufio.NewReader(c)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(req.Body)
			got <- body
			_, _ = io.WriteString(c, whole("ok"))
		}
	})
	up := pool(t, s)
	long := bytes.Repeat([]byte("long "), 2<<20)
	f := func(body string, rest ...[]byte) {
		t.Helper()
		x := up.Exchange()
		head, err := x.Send(&providers.UpstreamRequest{Path: "/x", Body: []byte(body), Rest: rest}, nil, patient)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(x, nil, head.Length, 100); err != nil {
			t.Fatal(err)
		}
		x.Finish()
		if want := slices.Concat(append([][]byte{[]byte(body)}, rest...)...); !bytes.Equal(<-got, want) {
			t.Errorf("a body of %d bytes in %d parts came as another", len(want), 1+len(rest))
		}
	}
	f("one ", []byte("two"))
	f("one ", long, []byte("three"))
	f("", long[:1], nil, long[:2], []byte("five"), long)
	f("one alone")
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
