package proxy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

const testKey = "sk-ais-testkey1-kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

// records keeps what an Observer is told.
type records struct {
	mu   sync.Mutex
	all  []storage.Record
	read int           // by next
	more chan struct{} // there may be another
}

func newRecords() *records { return &records{more: make(chan struct{}, 1)} }

func (r *records) Observe(rec *storage.Record) {
	kept := *rec
	kept.Attempts = append([]storage.Attempt(nil), rec.Attempts...)
	kept.Usage.Lines = append([]providers.UsageLine(nil), rec.Usage.Lines...)
	if rec.CostNano != nil {
		cost := *rec.CostNano
		kept.CostNano = &cost
	}
	r.mu.Lock()
	r.all = append(r.all, kept)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// unread counts the records that next has not given.
func (r *records) unread() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all) - r.read
}

func (r *records) next(t *testing.T) storage.Record {
	t.Helper()
	late := time.After(20 * time.Second)
	for r.unread() == 0 {
		select {
		case <-r.more:
		case <-late:
			t.Fatal("no record was made")
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read++
	return r.all[r.read-1]
}

// testGateway is a gateway on a loopback port, with staged upstreams behind provider names.
type testGateway struct {
	*Gateway
	url     string
	addr    string
	records *records
	server  *Server
}

type setting func(*Options, *Snapshot)

func newTestGateway(t testing.TB, upstreams map[string]*script, change ...setting) *testGateway {
	t.Helper()
	rec := newRecords()
	options := Options{Node: "test", Observer: rec, Watch: providers.NewWatch(openai.Governed()), Limits: Limits{
		MaxBody: 1 << 20, MaxReply: 1 << 20, BodyMemory: 8 << 20, Hold: 5 * time.Second, Comment: 5 * time.Second, ClientWrite: 5 * time.Second,
	}}
	key, err := storage.KeyOf("test", testKey)
	if err != nil {
		t.Fatal(err)
	}
	key.Models = []string{"*"}
	served, accounts := map[string][]string{}, map[string][]*Account{}
	for name, s := range upstreams {
		served[name] = nil
		accounts[name] = []*Account{{
			Provider: providers.Provider{Name: name, BaseURL: s.url(), Sign: providers.Bearer, Routes: map[providers.Op][]providers.Route{
				providers.OpChat:       {{Language: "openai", Dialect: openai.Dialect{}, Path: "/chat/completions"}},
				providers.OpEmbeddings: {{Language: "openai", Dialect: openai.Dialect{}, Path: "/embeddings"}},
			}},
			Secret: storage.NewSecret("upstream-secret"), Upstream: pool(t, s), FirstByte: 20 * time.Second, StreamIdle: 20 * time.Second,
		}}
	}
	state := &Snapshot{
		Keys: policy.NewKeyring([]storage.Key{key}), Accounts: accounts, Prices: policy.NewPriceBook(testPrices()),
		Router: policy.NewRouter(served, map[string]*policy.Alias{
			"pair": {Targets: []policy.Target{{Provider: "one", Model: "m"}, {Provider: "two", Model: "m"}}},
		}, func(string) (string, bool) { return "", false }),
	}
	for _, c := range change {
		c(&options, state)
	}
	g, err := New(options, catalog.Surfaces())
	if err != nil {
		t.Fatal(err)
	}
	g.Swap(state)
	server := NewServer(g, ServerOptions{
		MaxHeader: 16 << 10, MaxBody: options.Limits.MaxBody, Concurrency: 4096, Read: cmp.Or(options.Limits.ClientRead, 20*time.Second), Idle: 20 * time.Second,
		Logger: testLog{t},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		if n := g.OpenFlights(); n != 0 {
			t.Errorf("%d flights are still open", n)
		}
		g.Close()
	})
	return &testGateway{Gateway: g, url: "http://" + l.Addr().String(), addr: l.Addr().String(), records: rec, server: server}
}

type testLog struct{ t testing.TB }

func (l testLog) Printf(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); strings.Contains(text, "panic") {
		l.t.Error(text)
	}
}

// post sends a chat request and gives status, headers and body.
func (g *testGateway) post(t *testing.T, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	return g.postTo(t, "/v1/chat/completions", body, headers...)
}

func (g *testGateway) postTo(t *testing.T, path, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+testKey)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

const (
	chunkHead  = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
	chunkEnd   = "0\r\n\r\n"
	eventRole  = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"
	eventHi    = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}` + "\n\n"
	eventStop  = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	eventUsage = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}` + "\n\n"
	eventDone  = "data: [DONE]\n\n"
	wholeReply = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`
)

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
