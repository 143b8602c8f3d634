package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// stage is a simulated provider: calls answers its chat calls, probe what lists its models.
type stage struct {
	*httptest.Server
	calls, probes atomic.Int64
}

// act is how a simulated provider takes a call; body is the request's.
type act func(w http.ResponseWriter, r *http.Request, body string)

func newStage(t *testing.T, calls, probe act) *stage {
	t.Helper()
	s := &stage{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Method == http.MethodGet {
			s.probes.Add(1)
			probe(w, r, string(body))
			return
		}
		s.calls.Add(1)
		calls(w, r, string(body))
	}))
	t.Cleanup(s.Close)
	return s
}

// testBreaker opens after five failures and stays open for longer than any test.
var testBreaker = policy.Breaker{Failures: 5, Requests: 20, Percent: 50, Window: time.Minute, OpenFor: time.Hour}

// account reaches the stage by a credential.
func (s *stage) account(t *testing.T, name, credential string) *Account {
	t.Helper()
	up, err := NewPool(PoolOptions{BaseURL: s.URL, UserAgent: "test", Connect: time.Second, MaxConns: 256})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(up.Close)
	return &Account{
		Provider: providers.Provider{Name: name, BaseURL: s.URL, Sign: providers.Bearer, Routes: map[providers.Op][]providers.Route{
			providers.OpChat: {{Language: "openai", Dialect: openai.Dialect{}, Path: "/chat/completions"}},
		}},
		Credential: credential, Secret: storage.NewSecret("secret-" + credential), Upstream: up,
		FirstByte: 20 * time.Second, StreamIdle: 20 * time.Second, Breaker: testBreaker,
	}
}

// newStagedGateway serves the alias "it"; its keys are test keys 0 to 9.
func newStagedGateway(t *testing.T, alias *policy.Alias, accounts []*Account, change ...setting) *testGateway {
	t.Helper()
	set := func(_ *Options, s *Snapshot) {
		served := map[string][]string{}
		for _, a := range accounts {
			served[a.Name] = nil
			s.Accounts[a.Name] = append(s.Accounts[a.Name], a)
		}
		var keys []storage.Key
		for i := range 10 {
			key, err := storage.KeyOf(fmt.Sprint("test", i), keyNumber(i))
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key)
		}
		s.Keys = policy.NewKeyring(keys)
		s.Router = policy.NewRouter(served, map[string]*policy.Alias{"it": alias}, func(string) (string, bool) { return "", false })
	}
	return newTestGateway(t, nil, append([]setting{set}, change...)...)
}

func keyNumber(i int) string { return fmt.Sprintf("sk-ais-testkey%d-%s", i, strings.Repeat("k", 43)) }

// as sends a chat request by the key of a number.
func (g *testGateway) as(t *testing.T, key int, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	return g.post(t, body, append([]string{"authorization", "Bearer " + keyNumber(key)}, headers...)...)
}

const (
	itWhole  = `{"model":"it","messages":[{"role":"user","content":"hi"}]}`
	itStream = `{"model":"it","stream":true,"messages":[{"role":"user","content":"hi"}]}`
)

// well serves a call.
func well(w http.ResponseWriter, _ *http.Request, body string) {
	if strings.Contains(body, `"stream":true`) {
		w.Header().Set("content-type", "text/event-stream")
		_, _ = io.WriteString(w, eventRole+eventHi+eventStop+eventDone)
		return
	}
	w.Header().Set("content-type", "application/json")
	_, _ = io.WriteString(w, wholeReply)
}

// says answers with a status, and with headers in pairs.
func says(status int, headers ...string) act {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error":{"message":"staged","type":"server_error","code":null}}`)
	}
}

// hangs says nothing until the gateway leaves.
func hangs(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }

// begins sends the head of a stream and text, then goes on as act does.
func begins(text string, then act) act {
	return func(w http.ResponseWriter, r *http.Request, body string) {
		w.Header().Set("content-type", "text/event-stream")
		_, _ = io.WriteString(w, text)
		w.(http.Flusher).Flush()
		then(w, r, body)
	}
}

// cuts breaks the connection off.
func cuts(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }

func targetsOf(names ...string) []policy.Target {
	var list []policy.Target
	for _, name := range names {
		provider, model, _ := strings.Cut(name, "/")
		list = append(list, policy.Target{Provider: provider, Model: model})
	}
	return list
}
