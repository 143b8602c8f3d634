package proxy

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// erratic is a journal that fails now and then, if it does.
type erratic struct {
	pages
	fails bool
}

func (p *erratic) Append(entries ...*storage.Entry) error {
	if p.fails && rand.IntN(20) == 0 {
		return errors.New("staged")
	}
	return p.pages.Append(entries...)
}

// moody does anything an upstream may do.
func moody(w http.ResponseWriter, r *http.Request, body string) {
	switch rand.IntN(10) {
	case 0:
		says(500)(w, r, body)
	case 1:
		says(429, "retry-after", "0")(w, r, body)
	case 2:
		says(400)(w, r, body)
	case 3:
		cuts(w, r, body)
	case 4:
		hangs(w, r, body)
	case 5:
		begins(eventRole, cuts)(w, r, body)
	case 6:
		begins(eventRole+eventHi, cuts)(w, r, body)
	case 7:
		begins(eventRole+eventHi, hangs)(w, r, body)
	default:
		well(w, r, body)
	}
}

// Whatever upstreams, clients and the journal do, in the end nothing is reserved, no place is
// taken, what was spent is what the ledger is owed, and each attempt is settled once.
func TestGateway_OwesNothingInTheEnd(t *testing.T) {
	owesNothing(t, &erratic{})
	owesNothing(t, &erratic{fails: true})
}

func owesNothing(t *testing.T, p *erratic) {
	t.Helper()
	calls := 400
	if os.Getenv("AISTRALE_PROVE") != "" {
		calls = 20_000
	}
	meter := policy.NewMeter(policy.MeterOptions{})
	g := moodyGateway(t, p, meter, int64(calls)*5_000_000)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range calls / 20 {
				moodyClient(t, g)
			}
		})
	}
	all.Wait()
	if err := g.server.Shutdown(t.Context()); err != nil { // calls whose client has left are under way yet
		t.Fatal(err)
	}
	records := make([]storage.Record, g.records.unread())
	for i := range records {
		records[i] = g.records.next(t)
	}
	asks := g.Snapshot().Limits.For(&storage.Key{ID: "testkey0", Name: "test0", Workspace: "default"}).Budgets(time.Now())
	state, err := policy.StateOf(t.Context(), meter, &asks[0])
	if err != nil || state.Reserved != 0 || state.Spent == 0 {
		t.Errorf("%s: %+v, %v", asks[0].Counter, state, err)
	}
	var cost int64
	for i := range records {
		cost += *records[i].CostNano
	}
	if cost != state.Spent {
		t.Errorf("the records cost %d, the budget has spent %d", cost, state.Spent)
	}
	var grants []*policy.Grant
	for range 12 { // every place is free
		v, err := meter.Take(t.Context(), &policy.Ask{Now: time.Now(), Slots: []policy.SlotAsk{{Counter: "slot:{default}key/test0:concurrent:", Limit: 12}}})
		if err != nil || v.Grant == nil {
			t.Fatalf("after %d places: %+v, %v", len(grants), v.Refused, err)
		}
		grants = append(grants, v.Grant)
	}
	opened, settled := checkEntries(t, slices.Concat(p.take()...))
	if opened == 0 || !p.fails && opened != settled { // who cannot keep an entry says so, and counts it
		t.Errorf("%d attempts were opened and %d settled", opened, settled)
	}
}

// moodyGateway has a hedged alias of two moody upstreams, and limits on its key.
func moodyGateway(t *testing.T, p Journal, meter policy.Counters, budget int64) *testGateway {
	t.Helper()
	var accounts []*Account
	for _, name := range []string{"one", "two"} {
		a := newStage(t, moody, well).account(t, name, "")
		a.Breaker, a.FirstByte, a.StreamIdle = policy.Breaker{}, 30*time.Millisecond, 30*time.Millisecond
		a.Retry = policy.Retry{Max: 2, Floor: 1 << 20}
		accounts = append(accounts, a)
	}
	alias := &policy.Alias{Targets: targetsOf("one/m", "two/m"), Hedge: policy.Hedge{After: 3 * time.Millisecond}, Total: 80 * time.Millisecond}
	key := storage.Scope{Kind: storage.ScopeKey, Name: "test0"}
	held := []storage.Limit{{Scope: key, Concurrent: 12, RequestsPerMinute: 1e6, TokensPerMinute: 1e9}}
	return newStagedGateway(t, alias, accounts, limited(t, held, storage.Budget{Scope: key, Nano: budget, Per: storage.SpanTotal}), func(o *Options, s *Snapshot) {
		o.Journal, o.Counters = p, meter
		s.Patience = policy.Patience{MaxWait: 20 * time.Millisecond, MaxDepth: 8, Held: 20 * time.Millisecond}
	})
}

// checkEntries holds that what was opened is settled, once in each revision, and that a request
// has one final entry at most.
func checkEntries(t *testing.T, entries []storage.Entry) (attempts, ended int) {
	t.Helper()
	type attempt struct {
		id string
		n  int
	}
	opened, settled, finals := map[attempt]int{}, map[attempt][]int{}, map[string]int{}
	for _, e := range entries {
		a := attempt{e.RequestID.String(), e.Attempt}
		if e.State == storage.EntryOpened {
			opened[a]++
			continue
		}
		if slices.Contains(settled[a], e.Revision) || opened[a] == 0 {
			t.Errorf("%v is settled twice as revision %d, or was never opened", a, e.Revision)
		}
		settled[a] = append(settled[a], e.Revision)
		if e.Final {
			finals[a.id]++
		}
	}
	for a, n := range opened {
		if n != 1 {
			t.Errorf("%v was opened %d times", a, n)
		}
	}
	for id, n := range finals {
		if n != 1 {
			t.Errorf("%s has %d final entries", id, n)
		}
	}
	return len(opened), len(settled)
}

// moodyClient makes a call and may leave at any time.
func moodyClient(t *testing.T, g *testGateway) {
	body := itWhole
	if rand.IntN(2) == 0 {
		body = itStream
	}
	if rand.IntN(2) == 0 {
		body = strings.Replace(body, "{", `{"max_tokens":40,`, 1)
	}
	patience := time.Duration(rand.IntN(60)) * time.Millisecond
	if rand.IntN(2) == 0 {
		patience = time.Minute
	}
	client := http.Client{Timeout: patience + time.Millisecond}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("authorization", "Bearer "+keyNumber(0))
	if resp, err := client.Do(req); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body) // cut streams, too
		_ = resp.Body.Close()
	}
}
