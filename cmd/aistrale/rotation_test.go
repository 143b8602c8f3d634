package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// rotationLoad is 200 requests a second, in this many hands.
const (
	rotationHands = 20
	rotationPause = 100 * time.Millisecond
)

// Data keys and the master key are rotated while requests need what is sealed: none of them fails,
// every row is sealed anew, and neither old key opens anything afterwards.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	rounds, quiet := 1, time.Second
	if os.Getenv("AISTRALE_PROVE") != "" {
		rounds, quiet = 6, 10*time.Second
	}
	const secret = "sk-canary-0123456789-abcdefghij"
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("authorization") != "Bearer "+secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("content-type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	}))
	t.Cleanup(upstream.Close)
	masters := []string{storage.NewMasterKey().Reveal(), storage.NewMasterKey().Reveal()}
	p := newPlace(t, "AISTRALE_MASTER_KEY="+masters[0])
	config := `listen: "127.0.0.1:0"
admin_listen: "127.0.0.1:0"
data_dir: ` + filepath.Join(p.dir, "data") + `
providers: [{name: mine, dialect: openai, base_url: "` + upstream.URL + `/v1"}]
keys: [{name: full, key: ` + fullKey + `, models: ["*"], store: 24h}]
`
	file := p.write(t, "aistrale.yaml", config)
	p.must(t, secret, "credential", "add", "mine", "--config", file)
	s, err := sqlite.Open(t.Context(), filepath.Join(p.dir, "data", sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	g := p.serve(t, config)
	load := g.load(t)
	load.runs(t, quiet)
	for range rounds {
		before, err := s.DataKeys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.must(t, "", "encryption-key", "rotate", "--config", file)
		eventually(t, "everything is sealed anew and the old data key is gone", func() bool {
			keys, err := s.DataKeys(t.Context())
			return err == nil && len(keys) == 1 && keys[0].ID != before[0].ID
		})
		load.runs(t, quiet/4)
	}
	p.env = []string{"AISTRALE_MASTER_KEY=" + masters[1], "AISTRALE_MASTER_KEY_OLD=" + masters[0]}
	p.must(t, "", "encryption-key", "rewrap", "--config", file)
	load.runs(t, quiet)
	n := load.end(t)
	t.Logf("%d requests, none failed", n)

	keys, err := s.DataKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range masters {
		master, err := storage.ParseMasterKey(storage.NewSecret(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := storage.NewVault(master).Load(t.Context(), keys); (i == 0) != errors.Is(err, storage.ErrWrongMasterKey) {
			t.Errorf("master key %d: error %v", i, err)
		}
	}
	g.stop(t)
	p.env = []string{"AISTRALE_MASTER_KEY=" + masters[1]}
	g = p.serve(t, config)
	if status, body := g.chat(t, fullKey, "mine/m"); status != 200 {
		t.Errorf("with the new master key alone: %d %s", status, body)
	}
}

// asking is clients that ask all the time, and what became of that.
type asking struct {
	done   chan struct{}
	hands  sync.WaitGroup
	asked  atomic.Int64
	failed atomic.Pointer[string]
}

// load begins: every tenth request continues a stored response, which is sealed and opened on its way.
func (g *program) load(t *testing.T) *asking {
	t.Helper()
	l := &asking{done: make(chan struct{})}
	for range rotationHands {
		l.hands.Go(func() {
			tick := time.NewTicker(rotationPause)
			defer tick.Stop()
			previous := ""
			for n := 0; ; n++ {
				select {
				case <-l.done:
					return
				case <-tick.C:
				}
				path, body := "/v1/chat/completions", `{"model":"mine/m","messages":[{"role":"user","content":"hi"}]}`
				if n%10 == 0 {
					path, body = "/v1/responses", `{"model":"mine/m","input":"hi"`+previous+`}`
				}
				said, err := l.ask(g.url+path, body)
				if err != nil {
					text := path + ": " + err.Error()
					l.failed.CompareAndSwap(nil, &text)
					return
				}
				if n%10 == 0 {
					previous = `,"previous_response_id":"` + said.ID + `"`
				}
				l.asked.Add(1)
			}
		})
	}
	return l
}

type loadReply struct{ ID string }

func (l *asking) ask(url, body string) (said loadReply, err error) {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return said, err
	}
	req.Header.Set("authorization", "Bearer "+fullKey)
	req.Header.Set("content-type", "application/json")
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return said, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", response.StatusCode, text)
	}
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	return said, err
}

// runs waits until the load has gone on for as many requests as 200 a second make in that time.
func (l *asking) runs(t *testing.T, d time.Duration) {
	t.Helper()
	want := l.asked.Load() + int64(d*rotationHands/rotationPause)
	eventually(t, "the load goes on", func() bool { return l.asked.Load() >= want || l.failed.Load() != nil })
}

// end gives how many requests went well; that one did not fails the test.
func (l *asking) end(t *testing.T) int64 {
	t.Helper()
	close(l.done)
	l.hands.Wait()
	if failed := l.failed.Load(); failed != nil {
		t.Fatalf("after %d requests: %s", l.asked.Load(), *failed)
	}
	return l.asked.Load()
}
