package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/mock"
)

// A load is a crowd of clients that call a gateway, each call under a name of its own (its
// user), and keep account of what they asked for and what they saw. Calls fail while the gateway
// is down, which is no mistake.
type load struct {
	mock *mock.Server // what the gateways' provider says it served
	at   []atomic.Pointer[string]
	end  chan struct{}
	wg   sync.WaitGroup

	bulk    string       // metadata of every call
	refused atomic.Int64 // calls that a gateway could not take

	mu    sync.Mutex
	calls map[string]asked
}

// asked is one call as its client saw it.
type asked struct {
	input, output int64 // what the provider was told to bill
	stream        bool
	finished      bool // the answer was whole
	request       string
}

// newLoad makes a load on so many gateways.
func newLoad(t *testing.T, m *mock.Server, gateways int) *load {
	t.Helper()
	l := &load{mock: m, at: make([]atomic.Pointer[string], gateways), end: make(chan struct{}), calls: map[string]asked{}}
	t.Cleanup(l.stop)
	return l
}

// aim tells the clients where gateway n is.
func (l *load) aim(n int, url string) { l.at[n].Store(&url) }

// begin starts clients of every gateway.
func (l *load) begin(clients int) {
	for n := range l.at {
		for c := range clients {
			l.wg.Go(func() { l.client(n, fmt.Sprintf("g%d-c%d", n, c)) })
		}
	}
}

// stop ends the clients, once their calls have ended.
func (l *load) stop() {
	select {
	case <-l.end:
	default:
		close(l.end)
	}
	l.wg.Wait()
}

func (l *load) client(gateway int, name string) {
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	for i := 0; ; i++ {
		select {
		case <-l.end:
			return
		default:
		}
		user := fmt.Sprintf("%s-%d", name, i)
		one := asked{input: 1 + rand.Int64N(500), output: 1 + rand.Int64N(40), stream: rand.IntN(2) == 0}
		l.note(user, one)
		var status int
		status, one.request, one.finished = one.send(client, *l.at[gateway].Load(), user, l.bulk)
		if status == http.StatusServiceUnavailable {
			l.refused.Add(1)
		}
		l.note(user, one)
		if !one.finished {
			select { // the gateway may be down: do not spin
			case <-l.end:
			case <-time.After(time.Millisecond):
			}
		}
	}
}

func (l *load) note(user string, one asked) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[user] = one
}

// finished counts the calls that were answered whole.
func (l *load) finished() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.calls {
		if one.finished {
			n++
		}
	}
	return n
}

// send makes the call. Its answer is whole where the end of its language was read: the client
// then believes it, whatever becomes of the connection.
func (a *asked) send(client *http.Client, url, user, bulk string) (status int, request string, whole bool) {
	model := []string{"mock/gpt", "mock/claude", "mock/gemini"}[rand.IntN(3)]
	body := fmt.Sprintf(`{"model":%q,"user":%q,"stream":%t,"messages":[{"role":"user","content":%q}],"metadata":{"bulk":%q}}`, model, user, a.stream, user, bulk)
	req, err := http.NewRequest(http.MethodPost, url+chatPath, strings.NewReader(body))
	if err != nil {
		return 0, "", false
	}
	req.Header.Set("authorization", "Bearer "+fullKey)
	req.Header.Set("x-mock", fmt.Sprintf("input=%d;output=%d;events=%d;chunk=%dus", a.input, a.output, 1+rand.IntN(8), rand.IntN(1500)))
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", false
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	request = resp.Header.Get("x-request-id")
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, request, false
	}
	if a.stream {
		return resp.StatusCode, request, bytes.HasSuffix(bytes.TrimSpace(text), []byte("data: [DONE]"))
	}
	return resp.StatusCode, request, err == nil && json.Valid(text)
}

// served gives the users whose calls reached the provider.
func (l *load) served(t *testing.T) map[string]bool {
	t.Helper()
	served := map[string]bool{}
	for _, call := range l.mock.Calls() {
		// The user stands in the message too: not every language has a word for users.
		text := call.Body
		for _, path := range []string{"messages.0.content", "messages.0.content.0.text", "contents.0.parts.0.text"} {
			if said := gjson.GetBytes(text, path); said.Type == gjson.String {
				served[said.String()] = true
			}
		}
	}
	return served
}

// ledgerRow is one line of `aistrale usage rows --json`, as far as these tests look at it.
type ledgerRow struct {
	RequestID string       `json:"request_id"`
	Attempt   int          `json:"attempt"`
	Status    int          `json:"status"`
	Outcome   string       `json:"outcome"`
	EndUser   string       `json:"end_user"`
	Input     int64        `json:"input_tokens"`
	Output    int64        `json:"output_tokens"`
	Estimated bool         `json:"estimated"`
	Cost      *json.Number `json:"cost_usd"`
}

// check holds the ledger's rows against what clients and provider saw: a call that its client
// saw finished stands once, with the provider's tokens; none stands twice, none is invented,
// and whatever reached the provider stands, settled or marked. It gives the rows by outcome.
func (l *load) check(t *testing.T, rows []ledgerRow) map[string]int {
	t.Helper()
	l.stop()
	byUser, outcomes := map[string][]ledgerRow{}, map[string]int{}
	for _, row := range rows {
		byUser[row.EndUser] = append(byUser[row.EndUser], row)
		outcomes[row.Outcome]++
		if _, ok := l.calls[row.EndUser]; !ok {
			t.Errorf("invented: %+v", row)
		}
	}
	served, mistakes := l.served(t), 0
	for user, one := range l.calls {
		if why := one.against(byUser[user], served[user]); why != "" {
			if mistakes++; mistakes <= 10 {
				t.Errorf("%s (%+v): %s: %+v", user, one, why, byUser[user])
			}
		}
	}
	if mistakes > 10 {
		t.Errorf("and %d more", mistakes-10)
	}
	return outcomes
}

// against says what is wrong with the rows of one call, "" nothing.
func (a asked) against(rows []ledgerRow, served bool) string {
	switch {
	case len(rows) > 1:
		return "counted twice"
	case len(rows) == 0 && a.finished:
		return "finished and not counted"
	case len(rows) == 0 && served:
		return "served and not counted"
	case len(rows) == 0:
		return ""
	}
	row := rows[0]
	switch {
	case row.Attempt != 1 || row.Cost == nil:
		return "without a cost"
	case row.Outcome == "ok" && !served:
		return "counted and never served"
	case a.finished && (row.Outcome != "ok" || row.Estimated || row.RequestID != a.request):
		return "finished and marked"
	case row.Outcome == "ok" && (row.Input != a.input || row.Output != a.output):
		return "counted with other tokens"
	}
	return ""
}

// usageRows asks the program for the rows of the last hour.
func (p *place) usageRows(t *testing.T, config string) []ledgerRow {
	t.Helper()
	var rows []ledgerRow
	out := p.must(t, "", "usage", "rows", "--since", "1h", "--json", "--config", config)
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("usage rows: %v: %.300s", err, out)
	}
	slices.SortFunc(rows, func(a, b ledgerRow) int { return strings.Compare(a.RequestID, b.RequestID) })
	return rows
}
