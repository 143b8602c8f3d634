package proxy

import (
	"errors"
	"strings"
	"testing"
)

func TestExchange_ReadsEveryFraming(t *testing.T) {
	f := func(wantConns int64, answer ...string) {
		t.Helper()
		s := newScript(t, func(int, int) []string { return answer })
		up := pool(t, s)
		for range 3 {
			x := up.Exchange()
			head, err := x.Send(ask, nil, patient)
			if err != nil || head.Status != 200 {
				t.Fatalf("send: %v, status %d", err, head.Status)
			}
			body, err := readAll(x, nil, head.Length, 1<<20)
			if err != nil || string(body) != "hello world" {
				t.Fatalf("body %q, %v", body, err)
			}
			x.Finish()
		}
		if got := s.conns.Load(); got != wantConns {
			t.Errorf("%d connections, want %d", got, wantConns)
		}
	}
	f(1, whole("hello world"))
	f(1, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello \r\n", "5\r\nworld\r\n0\r\n\r\n")
	f(1, "HTTP/1.1 100 Continue\r\n\r\n", whole("hello world"))
	wide := "HTTP/1.1 200 OK\r\nx-policy: " + strings.Repeat("p", 12<<10)
	f(1, wide+"\r\ncontent-length: 11\r\n\r\nhello world")
	f(1, "HTTP/1.1 100 Continue\r\n\r\n", wide[:6<<10], wide[6<<10:]+"\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhello \r\n", "5\r\nworld\r\n0\r\n\r\n")
	f(1, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6;a=b\r\nhello \r\n05\r", "\nworld\r\n0\r\nx-digest: c", "\r\n\r\n")
	f(3, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello ", "world", "<close>")
	f(3, whole("hello world")+"!")
	f(3, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n!")
}

func TestExchange_BoundsTheHead(t *testing.T) {
	s := newScript(t, func(int, int) []string {
		return []string{"HTTP/1.1 200 OK\r\nx-policy: " + strings.Repeat("p", maxAnswerHead) + "\r\ncontent-length: 2\r\n\r\nok"}
	})
	x := pool(t, s).Exchange()
	defer x.Finish()
	if head, err := x.Send(ask, nil, patient); !isSmallBuffer(err) {
		t.Errorf("status %d, %v; want the head refused for its size", head.Status, err)
	}
}

func TestExchange_BoundsInterimAnswers(t *testing.T) {
	s := newScript(t, func(int, int) []string {
		return []string{strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", maxInterim) + whole("hello")}
	})
	x := pool(t, s).Exchange()
	defer x.Finish()
	if head, err := x.Send(ask, nil, patient); !errors.Is(err, errInterim) {
		t.Errorf("status %d, %v; want no end of interim answers refused", head.Status, err)
	}
}
