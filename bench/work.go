//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// work is one kind of request, sent over and over.
type work struct {
	name    string
	unit    string // what CPU time is divided by
	model   string // of the gateway; the others carry bytes to the mock's OpenAI face
	size    int    // of the body, in bytes
	mock    string // x-mock
	stream  bool
	workers int
	own     bool // only the gateway can do it; the floor carries the same request as it is
	parts   bool // the gateway's parts are told apart
	tls     bool // on both sides
}

func works() []work {
	plain := []work{
		{name: "335B", unit: "request", model: "gpt", size: 335, workers: 16, parts: true},
		{name: "crowd", unit: "request", model: "gpt", size: 335, workers: 64, parts: true},
		{name: "8KB", unit: "request", model: "gpt", size: 8400, workers: 16, parts: true},
		{name: "400KB", unit: "request", model: "gpt", size: 400_000, workers: 8},
		{name: "burst", unit: "event", model: "gpt", size: 335, stream: true, mock: "events=1000", workers: 4},
		{name: "paced", unit: "event", model: "gpt", size: 335, stream: true, mock: "events=50; chunk=20ms", workers: 200, parts: true},
		{name: "claude", unit: "request", model: "claude", size: 335, workers: 16, own: true},
		{name: "gemini", unit: "request", model: "gemini", size: 335, workers: 16, own: true},
		{name: "claude-paced", unit: "event", model: "claude", size: 335, stream: true, mock: "events=50; chunk=20ms", workers: 200, own: true},
		{name: "gemini-paced", unit: "event", model: "gemini", size: 335, stream: true, mock: "events=50; chunk=20ms", workers: 200, own: true},
	}
	all := plain
	for _, w := range plain {
		if w.own || w.name == "crowd" {
			continue
		}
		w.name, w.tls, w.parts = w.name+"-tls", true, false
		all = append(all, w)
	}
	return all
}

// wanted are the works of a run, and whether one of them goes by TLS. An unknown name is none.
func wanted(only string) (some []work, byTLS bool) {
	for _, w := range works() {
		if only == "" || strings.Contains(","+only+",", ","+w.name+",") {
			some, byTLS = append(some, w), byTLS || w.tls
		}
	}
	return some, byTLS
}

func (w work) fits(t *target) bool {
	switch {
	case w.tls != (t.certs != nil):
		return false
	case t.name == shared || t.name == heldBack:
		return true
	case t.name == base:
		return true
	case t.part():
		return w.parts
	default:
		return t.gateway() || !w.own || t.name == "floor"
	}
}

// body is a chat request of about w.size bytes.
func (w work) body(t *target) []byte {
	model := w.model
	switch {
	case t.gateway():
		model = "mock/" + model
	case t.peer != nil:
		model = t.peer.Model
	}
	head := fmt.Sprintf(`{"model":%q,"stream":%t,"messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"`, model, w.stream)
	tail := `"}],"temperature":0.7,"max_tokens":256}`
	pad := max(1, w.size-len(head)-len(tail))
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. ", pad/45+1)[:pad]
	return []byte(head + text + tail)
}

func (w work) client(t *target) *fasthttp.HostClient {
	return &fasthttp.HostClient{
		Addr: t.addr, MaxConns: 4096, StreamResponseBody: w.stream, ReadBufferSize: 8 << 10,
		IsTLS: t.certs != nil, TLSConfig: t.certs.client(),
	}
}

// load sends requests from all workers until the time is over and gives the units done.
func (w work) load(t *target, d time.Duration) (int, error) {
	client := w.client(t)
	defer client.CloseIdleConnections()
	body, until := w.body(t), time.Now().Add(d)
	var units atomic.Int64
	var first atomic.Pointer[error]
	var wg sync.WaitGroup
	for range w.workers {
		wg.Go(func() {
			for begun := false; !begun || time.Now().Before(until) && first.Load() == nil; begun = true {
				n, err := w.once(client, t, body)
				if err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
				units.Add(int64(n))
			}
		})
	}
	wg.Wait()
	if err := first.Load(); err != nil {
		return 0, *err
	}
	return int(units.Load()), nil
}

// once sends one request; it gives 1, or the number of events of a stream.
func (w work) once(client *fasthttp.HostClient, t *target, body []byte) (int, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	w.address(req, t, body)
	if err := client.Do(req, resp); err != nil {
		return 0, err
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return 0, fmt.Errorf("status %d: %s", resp.StatusCode(), readBody(resp))
	}
	if !w.stream {
		return 1, nil
	}
	n, err := countEvents(resp.BodyStream())
	return n, errors.Join(err, resp.CloseBodyStream())
}

func (w work) address(req *fasthttp.Request, t *target, body []byte) {
	req.SetRequestURI(t.url(t.prefix + "/chat/completions"))
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/json")
	req.Header.Set("authorization", "Bearer "+benchKey)
	if w.mock != "" {
		req.Header.Set("x-mock", w.mock)
	}
	if t.peer != nil {
		for name, value := range t.peer.Headers {
			req.Header.Set(name, value)
		}
	}
	req.SetBodyRaw(body)
}

func readBody(resp *fasthttp.Response) []byte {
	if s := resp.BodyStream(); s != nil {
		b, _ := io.ReadAll(io.LimitReader(s, 512))
		return b
	}
	return resp.Body()
}

func countEvents(r io.Reader) (int, error) {
	n, s := 0, bufio.NewScanner(r)
	s.Buffer(make([]byte, 4096), 1<<20)
	for s.Scan() {
		if bytes.HasPrefix(s.Bytes(), []byte("data:")) {
			n++
		}
	}
	return n, s.Err()
}
