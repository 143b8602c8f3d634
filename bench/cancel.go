//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// silentUpstream speaks OpenAI's language up to the first content and then says nothing, so
// that the time it takes a client's leaving to reach it can be measured.
type silentUpstream struct {
	l    net.Listener
	gone chan time.Time
	wg   sync.WaitGroup
}

func newSilentUpstream() (*silentUpstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &silentUpstream{l: l, gone: make(chan time.Time, 1)}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *silentUpstream) addr() string { return s.l.Addr().String() }

func (s *silentUpstream) close() {
	_ = s.l.Close()
	s.wg.Wait()
}

func (s *silentUpstream) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { s.serve(c) })
	}
}

func (s *silentUpstream) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		if v, ok := strings.CutPrefix(strings.ToLower(line), "content-length:"); ok {
			_, _ = fmt.Sscan(v, &length)
		}
		if line == "\r\n" {
			break
		}
	}
	if _, err := io.CopyN(io.Discard, r, int64(length)); err != nil {
		return
	}
	event := `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}]}` + "\n\n"
	_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(event), event)
	if err != nil {
		return
	}
	_, _ = r.ReadByte() // returns when the gateway hangs up
	s.gone <- time.Now()
}

// cancelLatency gives, for n streams, the microseconds from the client's close to the moment
// the upstream noticed.
func cancelLatency(t *target, s *silentUpstream, n int) ([]float64, error) {
	out := make([]float64, 0, n)
	body := `{"model":"silent/m","stream":true,"messages":[{"role":"user","content":"hi"}]}`
	for range n {
		c, err := net.Dial("tcp", t.addr)
		if err != nil {
			return nil, err
		}
		_, err = fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", benchKey, len(body), body)
		if err != nil {
			return nil, err
		}
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(line, "HTTP/") && !strings.Contains(line, " 200 ") {
				return nil, fmt.Errorf("it answers a stream with %s", strings.TrimSpace(line))
			}
			if strings.HasPrefix(line, "data:") {
				break
			}
		}
		closed := time.Now()
		if err := c.Close(); err != nil {
			return nil, err
		}
		select {
		case at := <-s.gone:
			out = append(out, float64(at.Sub(closed).Microseconds()))
		case <-time.After(5 * time.Second):
			return nil, fmt.Errorf("the upstream call was not cancelled within 5 s")
		}
	}
	return out, nil
}
