package proxy

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// testPrices are 1 and 2 dollars for a million tokens of "one", and twice that of "two".
func testPrices() []storage.Price {
	price := func(provider string, in, out int64) storage.Price {
		return storage.Price{ID: provider, Provider: provider, Model: "m", Rates: []storage.Rate{{Input: &in, Output: &out}}}
	}
	return []storage.Price{price("one", 1e9, 2e9), price("two", 2e9, 4e9)}
}

// pages is a journal in memory: what each Append was given.
type pages struct {
	mu      sync.Mutex
	appends [][]storage.Entry
	fails   error
}

func (p *pages) Append(entries ...*storage.Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails != nil {
		return p.fails
	}
	var kept []storage.Entry
	for _, e := range entries {
		one := *e
		one.Lines = slices.Clone(e.Lines)
		one.UsageRaw = slices.Clone(e.UsageRaw)
		one.Holds, one.Plan = slices.Clone(e.Holds), slices.Clone(e.Plan)
		kept = append(kept, one)
	}
	p.appends = append(p.appends, kept)
	return nil
}

// take gives what has been appended since the last time.
func (p *pages) take() [][]storage.Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.appends = nil }()
	return p.appends
}

func journaled(p *pages) setting {
	return func(o *Options, _ *Snapshot) { o.Journal = p }
}

// states tells appends in a line: "o1 s1+o2 S2" is an attempt opened, settled while the next one
// was opened, and that one settled as the request's last.
func states(appends [][]storage.Entry) string {
	words := make([]string, len(appends))
	for i, entries := range appends {
		parts := make([]string, len(entries))
		for j, e := range entries {
			parts[j] = map[storage.EntryState]string{storage.EntryOpened: "o", storage.EntrySettled: "s"}[e.State] + string(rune('0'+e.Attempt))
			if e.Final {
				parts[j] = strings.ToUpper(parts[j])
			}
		}
		words[i] = strings.Join(parts, "+")
	}
	return strings.Join(words, " ")
}

func TestBill_IsSettledBeforeTheClientHasItsAnswer(t *testing.T) {
	f := func(answer []string, ask string) {
		t.Helper()
		p := &pages{}
		g := newTestGateway(t, one(t, always(answer...)), journaled(p))
		_, h, _ := g.post(t, ask)
		kept := p.take() // at once: nothing is waited for
		if got := states(kept); got != "o1 S1" {
			t.Fatalf("the journal has %q", got)
		}
		opened, settled := kept[0][0], kept[1][0]
		want := providers.Normal{InputUncached: 3, Output: 2}
		if len(settled.Lines) != 1 || settled.Lines[0] != want || settled.CostNano != 7000 || settled.PriceID != "one" || settled.Estimated || settled.Unpriced != "" {
			t.Errorf("settled %+v, charge %+v", settled.Lines, settled.Charge)
		}
		if settled.Outcome != storage.OutcomeOK || settled.Status != 200 || settled.Duration == 0 || len(settled.UsageRaw) == 0 {
			t.Errorf("settled %+v", settled)
		}
		if opened.Bound.Output != unbounded || opened.Bound.Input == 0 || opened.CostNano < settled.CostNano || !opened.Estimated {
			t.Errorf("opened with the bound %+v at %d", opened.Bound, opened.CostNano)
		}
		if opened.RequestID != settled.RequestID || opened.RequestID.String() != h.Get("x-request-id") || opened.Key != "testkey1" || opened.Model != "m" {
			t.Errorf("opened %+v", opened)
		}
		rec := g.records.next(t)
		if rec.CostNano == nil || *rec.CostNano != 7000 {
			t.Errorf("the record's cost is %s", rec.CostText())
		}
		if cost := h.Get("x-aistrale-cost-usd"); ask == askWhole && cost != "0.000007" {
			t.Errorf("the client is told a cost of %q", cost)
		}
	}
	f([]string{whole(wholeReply)}, askWhole)
	f([]string{chunkHead, chunk(eventRole + eventHi + eventStop + eventUsage + eventDone), chunkEnd}, askStream)
	f([]string{chunkHead, chunk(eventRole + eventHi + eventStop), chunk(eventUsage), chunk(eventDone), "<wait>"}, askStream)
}

// An SDK is done when it has read the end mark or an error, and asks nobody whether the
// connection is.
func TestBill_IsSettledWhenTheLastEventIsRead(t *testing.T) {
	f := func(last string, events ...string) {
		t.Helper()
		p := &pages{}
		g := newTestGateway(t, one(t, always(append(events, "<wait>")...)), journaled(p))
		c := connect(t, g)
		say(t, c, request(askStream))
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, last) {
				break
			}
		}
		if got := states(p.take()); got != "o1 S1" { // while the stream is still open
			t.Errorf("%s: the journal has %q", last, got)
		}
	}
	f("data: [DONE]", chunkHead, chunk(eventRole+eventHi+eventStop+eventUsage+eventDone))
	f(`data: {"error"`, chunkHead, chunk(eventRole+eventHi), chunk(`data: {"error":{"message":"sorry"}}`+"\n\n"))
}

func TestBill_OfSeveralAttempts(t *testing.T) {
	f := func(want string, cost string, upstreams map[string]*script, change ...setting) []storage.Entry {
		t.Helper()
		p := &pages{}
		g := newTestGateway(t, upstreams, append(change, journaled(p))...)
		status, _, _ := g.post(t, strings.Replace(askWhole, "one/m", "pair", 1))
		kept := p.take()
		if got := states(kept); got != want {
			t.Fatalf("the journal has %q, want %q", got, want)
		}
		if rec := g.records.next(t); rec.CostText() != cost || rec.Status != status {
			t.Errorf("the record says %s, status %d; want %s, %d", rec.CostText(), rec.Status, cost, status)
		}
		last := kept[len(kept)-1][0]
		if last.Status != status {
			t.Errorf("status %d is in the ledger as %d", status, last.Status)
		}
		return slices.Concat(kept...)
	}
	refuses := func() *script { return newScript(t, always(rejection(503, `{"error":{"message":"busy"}}`))) }
	answers := func() *script { return newScript(t, always(whole(wholeReply))) }

	all := f("o1 s1+o2 S2", "0.000014", map[string]*script{"one": refuses(), "two": answers()})
	if first := all[1]; first.CostNano != 0 || first.Unpriced != "" || first.UpstreamStatus != 503 || len(first.Lines) != 0 {
		t.Errorf("a refused attempt: %+v", first)
	}
	f("o1 s1+o2 S2", "0.00", map[string]*script{"one": refuses(), "two": refuses()})
	f("o1 S1", "0.00", map[string]*script{"one": refuses(), "two": answers()}, func(_ *Options, s *Snapshot) { s.Accounts["two"][0].NeedsKey = true })
	f("o1 s1+o2 S2", "0.000014", map[string]*script{"one": newScript(t, always(whole(`{"error":{"message":"sorry"}}`))), "two": answers()})
	f("o1 s1+o2 S2", "0.000014", map[string]*script{"one": newScript(t, always(whole(`<html>`))), "two": answers()})
}

func TestBill_OfWhatNobodyWaitedFor(t *testing.T) {
	f := func(answer []string, ask string, output int64) {
		t.Helper()
		p := &pages{}
		g := newTestGateway(t, one(t, always(answer...)), journaled(p), func(_ *Options, s *Snapshot) {
			s.Accounts["one"][0].FirstByte, s.Accounts["one"][0].StreamIdle = 150*time.Millisecond, 150*time.Millisecond
		})
		g.post(t, ask)
		g.records.next(t)
		kept := p.take()
		if got := states(kept); got != "o1 S1" {
			t.Fatalf("the journal has %q", got)
		}
		e := kept[1][0]
		want := providers.Normal{InputUncached: min(policy.EstimateInput([]byte(ask)), kept[0][0].Bound.Input), Output: output}
		if len(e.Lines) != 1 || e.Lines[0] != want || !e.Estimated || e.CostNano != want.InputUncached*1000+want.Output*2000 {
			t.Errorf("settled %+v at %d; want %+v", e.Lines, e.CostNano, want)
		}
	}
	f([]string{"<wait>"}, askWhole, unbounded)
	f([]string{"<wait>"}, strings.Replace(askWhole, "{", `{"max_tokens":9,`, 1), 9)
	f([]string{"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{", "<wait>"}, askWhole, unbounded)
	f([]string{chunkHead, chunk(eventRole), chunk(eventHi), "<wait>"}, askStream, 1)
	f([]string{chunkHead, chunk(eventRole), chunk(eventHi), "<close>"}, askStream, 1)
}

func TestBill_IsSettledForAClientThatLeft(t *testing.T) {
	p := &pages{}
	g := newTestGateway(t, one(t, always(chunkHead, chunk(eventRole), chunk(eventHi), "<wait>")), journaled(p))
	c := connect(t, g)
	say(t, c, request(askStream))
	if _, err := io.ReadFull(c, make([]byte, 400)); err != nil { // as far as the first content
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if rec := g.records.next(t); rec.Outcome != storage.OutcomeClientGone || !rec.Usage.Estimated {
		t.Errorf("record %+v", rec)
	}
	kept := p.take()
	if got := states(kept); got != "o1 S1" {
		t.Fatalf("the journal has %q", got)
	}
	if e := kept[1][0]; e.Outcome != storage.OutcomeClientGone || e.Status != statusClientGone || !e.Estimated || e.CostNano == 0 {
		t.Errorf("settled %+v", e)
	}
}

func TestBill_NothingIsSentThatCannotBeKept(t *testing.T) {
	p := &pages{fails: errors.New("no space left on device")}
	up := newScript(t, always(whole(wholeReply)))
	g := newTestGateway(t, map[string]*script{"one": up}, journaled(p))
	status, h, body := g.post(t, askWhole)
	if status != 503 || h.Get("retry-after") != "1" || strings.Contains(body, "space") {
		t.Errorf("status %d, %v: %s", status, h, body)
	}
	if up.conns.Load() != 0 {
		t.Error("the upstream was asked")
	}
	if rec := g.records.next(t); len(rec.Attempts) != 0 || !strings.Contains(rec.Err, "no space left") {
		t.Errorf("record %+v", rec)
	}
}

// An attempt that was billed keeps its own tokens though its entry is kept with the next one's.
func TestBill_KeepsTheTokensOfABilledAttempt(t *testing.T) {
	p := &pages{}
	g := newTestGateway(t, map[string]*script{"one": newScript(t, always("<wait>")), "two": newScript(t, always(whole(wholeReply)))},
		journaled(p), func(_ *Options, s *Snapshot) { s.Accounts["one"][0].FirstByte = 100 * time.Millisecond })
	ask := strings.Replace(strings.Replace(askWhole, "one/m", "pair", 1), "{", `{"max_tokens":9,`, 1)
	if status, _, body := g.post(t, ask); status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	g.records.next(t)
	kept := p.take()
	if got := states(kept); got != "o1 s1+o2 S2" {
		t.Fatalf("the journal has %q", got)
	}
	e := kept[1][0]
	if len(e.Lines) != 1 || e.CostNano != e.Lines[0].InputUncached*1000+e.Lines[0].Output*2000 {
		t.Errorf("settled %+v at %d", e.Lines, e.CostNano)
	}
}

// A part of an attempt that was served is paid for, though the rest of it was refused.
func TestBill_OfAPairThatIsHalfServed(t *testing.T) {
	p := &pages{}
	up := newScript(t, func(_, request int) []string {
		if request == 1 {
			return []string{whole(`{}`)}
		}
		return []string{rejection(429, `{"error":{"message":"busy"}}`)}
	})
	g := newTestGateway(t, map[string]*script{"one": up}, journaled(p), func(_ *Options, s *Snapshot) {
		s.Accounts["one"][0].Routes[providers.OpEmbeddings] = []providers.Route{{Language: "native", Dialect: openai.Dialect{}, Path: "/embed", Pair: &providers.Pair{
			Client: "openai",
			Write: func(call *providers.Call) (providers.Plan, error) {
				r := providers.UpstreamRequest{Path: call.Path, Body: []byte(`{"text":"half of it"}`)}
				return providers.Plan{Requests: []providers.UpstreamRequest{r, r}}, nil
			},
			Read: func(*providers.Call, [][]byte) (providers.PairReply, error) {
				return providers.PairReply{}, errors.New("incomplete")
			},
		}}}
	})
	ask := `{"model":"one/m","input":["half","of it"]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/v1/embeddings", strings.NewReader(ask))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != 429 {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	kept := p.take()
	if got := states(kept); got != "o1 S1" {
		t.Fatalf("the journal has %q", got)
	}
	e := kept[1][0]
	if want := (providers.Normal{InputUncached: policy.EstimateInput([]byte(ask))}); len(e.Lines) != 1 || e.Lines[0] != want || !e.Estimated || e.UpstreamStatus != 429 {
		t.Errorf("settled %+v", e)
	}
}
