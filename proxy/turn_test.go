package proxy

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// memoryTurns is a store of turns in memory, which can be made to fail.
type memoryTurns struct {
	mu     sync.Mutex
	all    map[string]storage.Turn
	broken error
	asked  int
}

func (m *memoryTurns) PutTurns(_ context.Context, turns ...storage.Turn) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked++; m.broken != nil {
		return m.broken
	}
	for _, t := range turns {
		m.all[t.ID] = t
	}
	return nil
}

func (m *memoryTurns) find(workspace string, fits func(t *storage.Turn) bool) (found []storage.Turn) {
	for _, t := range m.all {
		if t.Workspace == workspace && fits(&t) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b storage.Turn) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), a.Place-b.Place) })
	return found
}

func (m *memoryTurns) FindTurns(_ context.Context, workspace string, ids ...string) ([]storage.Turn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	return m.find(workspace, func(t *storage.Turn) bool { return slices.Contains(ids, t.ID) }), m.broken
}

func (m *memoryTurns) TurnChain(_ context.Context, workspace, id string, most int) (chain []storage.Turn, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	sum := 0
	for t, ok := m.all[id]; ok && t.Workspace == workspace; t, ok = m.all[t.Previous] {
		if sum += len(t.Content); sum > most {
			return nil, storage.ErrTooMuch
		}
		chain = append([]storage.Turn{t}, chain...)
	}
	return chain, m.broken
}

func (m *memoryTurns) TurnsWithin(_ context.Context, q storage.TurnQuery) ([]storage.Turn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	found := m.find(q.Workspace, func(t *storage.Turn) bool { return t.Within == q.Within })
	return found[:min(len(found), q.Limit)], m.broken
}

func (m *memoryTurns) RemoveTurn(_ context.Context, workspace, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	for key, t := range m.all {
		if t.Workspace == workspace && (t.ID == id || t.Within == id) {
			delete(m.all, key)
		}
	}
	return m.broken
}

func (m *memoryTurns) fail(broken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken = nil; broken {
		m.broken = errors.New("the store is down")
	}
}

// keepingTenants is a gateway of tenants whose turns are kept for an hour.
func keepingTenants(t *testing.T, change ...setting) (*tenants, *memoryTurns) {
	t.Helper()
	turns := &memoryTurns{all: map[string]storage.Turn{}}
	w := newTenants(t, append([]setting{func(o *Options, s *Snapshot) {
		o.Turns, o.Limits.MaxTurn = turns, 4096
		var keys []storage.Key
		for i := range 3 {
			key, err := storage.KeyOf("test", keyNumber(i))
			if err != nil {
				t.Fatal(err)
			}
			if key.Workspace, key.Store = "mine", time.Hour; i == theirs {
				key.Workspace = "theirs"
			}
			key.Cache = time.Hour
			keys = append(keys, key)
		}
		s.Keys = policy.NewKeyring(keys)
	}}, change...)...)
	return w, turns
}

const asksClaude = `{"model":"anthropic/m","max_output_tokens":100,"input":"One."`

// A reply that is to be kept is kept before the client has it: where the store fails, the client
// gets no reply that it could not go on with. What was too large is told to be not kept.
func TestTurn_Trouble(t *testing.T) {
	w, turns := keepingTenants(t)
	respond := func(body string) (int, string) { return w.ask(t, mine, http.MethodPost, "/v1/responses", body) }
	status, first := respond(asksClaude + `}`)
	if status != http.StatusOK || !gjson.Get(first, "store").Bool() || turns.all[gjson.Get(first, "id").Str].Workspace != "mine" {
		t.Fatalf("%d %s", status, first)
	}
	turns.fail(true)
	if status, body := respond(asksClaude + `}`); status != http.StatusServiceUnavailable || strings.Contains(body, "resp_") {
		t.Errorf("a store that fails: %d %s", status, body)
	}
	if status, body := respond(asksClaude + `,"previous_response_id":"` + gjson.Get(first, "id").Str + `"}`); status != http.StatusServiceUnavailable {
		t.Errorf("a store that fails, asked: %d %s", status, body)
	}
	if status, body := respond(asksClaude + `,"store":false}`); status != http.StatusOK || gjson.Get(body, "store").Bool() {
		t.Errorf("a store that is not needed: %d %s", status, body)
	}
	turns.fail(false)
	long := strings.Repeat("x", 4096)
	if status, body := respond(`{"model":"anthropic/m","input":"` + long + `"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long input: %d %s", status, body)
	}
	w.up.answers(func(*http.Request) string {
		return `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"` + long + `"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`
	})
	status, body := respond(asksClaude + `}`)
	if status != http.StatusOK || gjson.Get(body, "store").Bool() || !strings.Contains(body, long) {
		t.Errorf("a long reply: %d %.80s", status, body)
	}
	if _, kept := turns.all[gjson.Get(body, "id").Str]; kept {
		t.Error("a long reply is kept")
	}
}

// A stream whose end cannot be kept has no end.
func TestTurn_StreamTrouble(t *testing.T) {
	w, turns := keepingTenants(t)
	up := anthropicStream(t)
	account := w.Snapshot().Accounts["anthropic"][0]
	pool, err := NewPool(PoolOptions{BaseURL: up, UserAgent: "test", Connect: time.Second, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	account.Upstream = pool
	w.Snapshot().Accounts["anthropic"] = []*Account{account}
	status, body := w.ask(t, mine, http.MethodPost, "/v1/responses", asksClaude+`,"stream":true}`)
	if status != http.StatusOK || !strings.Contains(body, "response.completed") || len(turns.all) != 1 {
		t.Fatalf("%d %s", status, body)
	}
	turns.fail(true)
	status, body = w.ask(t, mine, http.MethodPost, "/v1/responses", asksClaude+`,"stream":true}`)
	if status != http.StatusOK || strings.Contains(body, "response.completed") || !strings.Contains(body, "response.failed") {
		t.Errorf("%d %s", status, body)
	}
}

// anthropicStream is an upstream of Anthropic's that answers with a stream.
func anthropicStream(t *testing.T) string {
	t.Helper()
	s := newKeepingStage(t)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "text/event-stream")
		for _, data := range []string{
			`{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}`,
			`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi."}}`,
			`{"type":"content_block_stop","index":0}`,
			`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}`,
			`{"type":"message_stop"}`,
		} {
			_, _ = io.WriteString(w, "event: "+gjson.Get(data, "type").Str+"\ndata: "+data+"\n\n")
		}
	})
	return s.URL
}

// Two calls that say the same and go on with other turns are two; what leaves something behind is
// made each time; and what was said before is what is weighed.
func TestTurn_CacheAndBounds(t *testing.T) {
	w, turns := keepingTenants(t, func(o *Options, s *Snapshot) {
		o.Replies = NewMemoryReplies(1 << 20)
		o.Limits.MaxCached = 1 << 20
	})
	respond := func(body string) string {
		t.Helper()
		status, reply := w.ask(t, mine, http.MethodPost, "/v1/responses", body)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, reply)
		}
		return reply
	}
	a, b := gjson.Get(respond(asksClaude+`}`), "id").Str, gjson.Get(respond(asksClaude+`}`), "id").Str
	if a == b || len(turns.all) != 2 {
		t.Fatalf("two calls that are kept have the ids %s and %s", a, b)
	}
	w.up.calls()
	more := `{"model":"anthropic/m","input":"Two.","store":false,"previous_response_id":"`
	for _, id := range []string{a, b, a} {
		if reply := respond(more + id + `"}`); gjson.Get(reply, "previous_response_id").Str != id {
			t.Errorf("going on with %s: %s", id, reply)
		}
	}
	if calls := w.up.calls(); len(calls) != 3 || !strings.Contains(calls[0], "One.") || !strings.Contains(calls[0], "Two.") {
		t.Errorf("asked: %q", calls)
	}
	respond(asksClaude + `,"store":false}`)
	respond(asksClaude + `,"store":false}`)
	if calls := w.up.calls(); len(calls) != 1 {
		t.Errorf("the same call, which leaves nothing behind, was made %d times", len(calls))
	}
}

// A hard budget sees all that goes upstream, and nothing unbounded in it: a past that alone is
// dearer than the budget is refused before it is sent.
func TestTurn_Budget(t *testing.T) {
	w, turns := keepingTenants(t, limited(t, nil, dollars(1e8)), func(_ *Options, s *Snapshot) {
		in, out := int64(1e9), int64(2e9)
		s.Prices = policy.NewPriceBook([]storage.Price{{ID: "m", Provider: "anthropic", Model: "m", Rates: []storage.Rate{{Input: &in, Output: &out}}}})
	})
	status, first := w.ask(t, mine, http.MethodPost, "/v1/responses", `{"model":"anthropic/m","max_output_tokens":16,"input":"`+strings.Repeat("w", 1000)+`"}`)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, first)
	}
	id := gjson.Get(first, "id").Str
	if status, body := w.ask(t, mine, http.MethodPost, "/v1/responses", `{"model":"anthropic/m","max_output_tokens":16,"input":"x","store":false}`); status != http.StatusOK {
		t.Fatalf("a short call: %d %s", status, body)
	}
	old := turns.all[id]
	old.Content = []byte(strings.Replace(string(old.Content), "www", "www"+strings.Repeat("w", 500_000), 1))
	turns.all[id] = old
	w.up.calls()
	status, body := w.ask(t, mine, http.MethodPost, "/v1/responses", `{"model":"anthropic/m","max_output_tokens":16,"input":"x","previous_response_id":"`+id+`"}`)
	if status != http.StatusTooManyRequests || gjson.Get(body, "error.code").Str != "insufficient_quota" || len(w.up.calls()) > 0 {
		t.Errorf("a long past: %d %s", status, body)
	}
}

// What was said before by a key that may more is held against the key that goes on with it.
func TestTurn_PastIsGoverned(t *testing.T) {
	w, turns := keepingTenants(t, func(_ *Options, s *Snapshot) {
		var keys []storage.Key
		for i, models := range [][]string{{"*"}, {"anthropic/*"}, {"*"}} {
			key, err := storage.KeyOf("test", keyNumber(i))
			if err != nil {
				t.Fatal(err)
			}
			if key.Workspace, key.Store, key.Models = "mine", time.Hour, models; i == theirs {
				key.Workspace = "theirs"
			}
			keys = append(keys, key)
		}
		s.Keys = policy.NewKeyring(keys)
	})
	goOn := func(key int, first string) (int, string) {
		return w.ask(t, key, http.MethodPost, "/v1/responses", `{"model":"anthropic/m","input":"x","previous_response_id":"`+first+`"}`)
	}
	status, plain := w.ask(t, mine, http.MethodPost, "/v1/responses", asksClaude+`}`)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, plain)
	}
	id := gjson.Get(plain, "id").Str
	if status, body := goOn(also, id); status != http.StatusOK {
		t.Errorf("its own workspace's, by the setting alone: %d %s", status, body)
	}
	old := turns.all[id]
	old.Content = []byte(strings.Replace(string(old.Content), `{"type":"input_text"`, `{"type":"input_file","file_id":"file-1"},{"type":"input_text"`, 1))
	turns.all[id] = old
	w.up.calls()
	if status, body := goOn(mine, id); status != http.StatusNotFound || !strings.Contains(body, "file-1") {
		t.Errorf("a file that is nobody's in the past: %d %s", status, body)
	}
	w.ownAt("anthropic", "mine", "two", providers.ObjectFile, "file-1")
	if status, body := goOn(also, id); status != http.StatusForbidden || !strings.Contains(body, "file_id") {
		t.Errorf("a file in the past: %d %s", status, body)
	}
	if status, body := goOn(mine, id); status == http.StatusForbidden || status == http.StatusNotFound {
		t.Errorf("a file in the past, for a key that may: %d %s", status, body)
	}
	if calls := w.up.calls(); len(calls) > 0 {
		t.Errorf("asked: %q", calls)
	}
}

// A key that has nothing kept never asks the store of turns, whatever it calls.
func TestTurn_NotAsked(t *testing.T) {
	turns := &memoryTurns{all: map[string]storage.Turn{}}
	w := newTenants(t, func(o *Options, _ *Snapshot) { o.Turns = turns })
	for _, body := range []string{asksClaude + `}`, asksClaude + `,"store":false}`, asksClaude + `,"store":true}`, asksClaude + `,"previous_response_id":"resp_1"}`} {
		w.ask(t, mine, http.MethodPost, "/v1/responses", body)
	}
	if turns.asked != 0 {
		t.Errorf("the store was asked %d times", turns.asked)
	}
}

// A call that keeps nothing pays nothing for that others do.
func TestTurn_NothingForOthers(t *testing.T) {
	var doc providers.Document
	if err := doc.Scan([]byte(`{"model":"m","input":"hi"}`), nil); err != nil {
		t.Fatal(err)
	}
	turns := &memoryTurns{}
	for _, s := range catalog.Surfaces() {
		for i := range s.Endpoints {
			f := &flight{g: &Gateway{options: Options{Turns: turns}}, key: &storage.Key{}, endpoint: &s.Endpoints[i], doc: doc}
			if n := testing.AllocsPerRun(100, func() {
				if f.markOwn() != nil || f.unfold() != nil || f.readyToKeep() != nil {
					t.Error("a call that keeps nothing is refused")
				}
			}); n > 0 {
				t.Errorf("%s: %v allocations", s.Endpoints[i].Path, n)
			}
		}
	}
	if turns.asked > 0 {
		t.Error("the store was asked")
	}
}
