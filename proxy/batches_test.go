package proxy

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

func batchLine(path, body string) string {
	return fmt.Sprintf(`{"custom_id":"x","method":"POST","url":%q,"body":%s}`+"\n", path, body)
}

// The calls of a batch are held against the key as if it made each itself, or the batch is
// refused by the line that is wrong; nothing is begun then.
func TestBatch_CallsAreGoverned(t *testing.T) {
	const good = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	ok := batchLine("/v1/chat/completions", good)
	f := func(name string, want int, word, file string, change ...func(*storage.Key)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			w := newTenants(t, func(_ *Options, s *Snapshot) {
				for _, k := range s.Keys.All() {
					for _, c := range change {
						c(k)
					}
				}
			})
			w.own("mine", "two", providers.ObjectFile, "file-in")
			w.own("mine", "two", providers.ObjectFile, "file-other")
			w.own("mine", "one", providers.ObjectFile, "file-elsewhere")
			w.own("theirs", "two", providers.ObjectFile, "file-theirs")
			w.up.keep("file-in", file)
			status, body := w.ask(t, mine, http.MethodPost, "/v1/batches", `{"input_file_id":"file-in","endpoint":"/v1/chat/completions","completion_window":"24h"}`)
			begun := false
			for _, call := range w.up.calls() {
				begun = begun || strings.Contains(call, "POST /batches")
			}
			if status != want || !strings.Contains(body, word) || begun != (want == http.StatusOK) {
				t.Errorf("%d %s, begun %t; want %d with %q", status, body, begun, want, word)
			}
		})
	}
	narrow := func(k *storage.Key) { k.Models, k.Allow = []string{"openai/m"}, []string{"batches"} }
	f("good", 200, "", ok+"\n"+ok)
	f("no line end", 200, "", strings.TrimSuffix(ok, "\n"))
	f("narrow key", 200, "", ok+ok, narrow)
	f("foreign model", 403, "Line 2", ok+batchLine("/v1/chat/completions", strings.Replace(good, `"m"`, `"secret"`, 1)), narrow)
	f("denied model", 403, "Line 1", ok, func(k *storage.Key) { k.DenyModels = []string{"openai/m"} })
	f("field", 403, "Line 1", batchLine("/v1/chat/completions", strings.Replace(good, `{`, `{"web_search_options":{},`, 1)), narrow)
	f("denied field", 403, "Line 1", batchLine("/v1/chat/completions", strings.Replace(good, `{`, `{"web_search_options":{},`, 1)),
		func(k *storage.Key) { k.Deny = []string{"web_search_options"} })
	f("other tenant's object", 404, "Line 2", ok+batchLine("/v1/chat/completions", strings.Replace(good, `"hi"`, `[{"type":"file","file":{"file_id":"file-theirs"}}]`, 1)))
	f("own object", 200, "", batchLine("/v1/chat/completions", strings.Replace(good, `"hi"`, `[{"type":"file","file":{"file_id":"file-other"}}]`, 1)))
	f("object elsewhere", 400, "Line 1", batchLine("/v1/chat/completions", strings.Replace(good, `"hi"`, `[{"type":"file","file":{"file_id":"file-elsewhere"}}]`, 1)))
	f("unknown path", 400, "Line 1", batchLine("/v1/files", good))
	f("no model", 400, "Line 1", batchLine("/v1/chat/completions", `{"messages":[]}`))
	f("not JSON", 400, "Line 2", ok+"{\n")
	f("twice", 400, "Line 1", `{"method":"POST","url":"/v1/chat/completions","body":{},"body":`+good+"}\n")
	f("not posted", 400, "Line 1", strings.Replace(ok, "POST", "GET", 1))
	f("parameters of the operator", 403, "parameters", ok, func(k *storage.Key) {
		k.Parameters.Force = []storage.Parameter{{Name: "temperature", Value: []byte("0")}}
	})
	f("long line", 413, "Line 1", batchLine("/v1/chat/completions", strings.Replace(good, "hi", strings.Repeat("x", 2<<20), 1)))
}

// A batch is in the ledger once it has ended: its results at the batch tier's price, each model
// once, however often it is looked at and by whom.
func TestBatch_Booked(t *testing.T) {
	w := newTenants(t, func(_ *Options, s *Snapshot) {
		var prices []storage.Price
		one, two, half := int64(1_000_000_000), int64(2_000_000_000), int64(500_000_000)
		for _, model := range []string{"m", "n"} {
			prices = append(prices, storage.Price{ID: model + "-price", Provider: "openai", Model: model, Rates: []storage.Rate{
				{Input: &one, Output: &two}, {Tier: "batch", Input: &half, Output: &one},
			}})
		}
		s.Prices = policy.NewPriceBook(prices)
	})
	result := func(model string, status, input, output int) string {
		return fmt.Sprintf(`{"custom_id":"x","response":{"status_code":%d,"body":{"id":"c","model":%q,"choices":[],"service_tier":"default","usage":{"prompt_tokens":%d,"completion_tokens":%d}}},"error":null}`+"\n", status, model, input, output)
	}
	state := "in_progress"
	w.up.answers(func(r *http.Request) string {
		if strings.HasPrefix(r.URL.Path, "/batches") && state == "completed" {
			return `{"id":"batch_1","status":"completed","output_file_id":"file-out","error_file_id":"file-err"}`
		}
		return `{"id":"batch_1","status":"` + state + `","output_file_id":null}`
	})
	w.own("mine", "two", providers.ObjectFile, "file-in")
	w.up.keep("file-in", batchLine("/v1/chat/completions", `{"model":"m","messages":[]}`))
	if status, body := w.ask(t, mine, http.MethodPost, "/v1/batches", `{"input_file_id":"file-in"}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if o := w.shelf.find("batch_1"); o == nil || !o.Owed || o.Credential != "two" {
		t.Fatalf("the batch: %+v", o)
	}
	w.batches.round(t.Context())
	if entries := w.pages.take(); len(entries) > 0 {
		t.Fatalf("under way, and in the ledger: %+v", entries)
	}
	w.up.keep("file-out", result("m", 200, 1000, 100)+result("n", 200, 10, 20)+result("m", 500, 7, 7)+result("m", 200, 3000, 900))
	w.up.mu.Lock()
	state = "completed"
	w.up.mu.Unlock()
	var entries []storage.Entry
	if status, body := w.ask(t, also, http.MethodGet, "/v1/batches/batch_1", ""); status != http.StatusOK || !strings.Contains(body, "file-out") {
		t.Fatalf("%d %s", status, body)
	}
	for _, id := range []string{"file-out", "file-err"} { // at hand at once
		if o := w.shelf.find(id); o == nil || o.Workspace != "mine" || o.Credential != "two" {
			t.Errorf("%s: %+v", id, o)
		}
	}
	until(t, "the batch is settled", func() bool { return !w.shelf.find("batch_1").Owed })
	for _, kept := range w.pages.take() {
		entries = append(entries, kept...)
	}
	if len(entries) != 2 {
		t.Fatalf("entries: %+v", entries)
	}
	m, n := entries[0], entries[1]
	if m.Model != "m" || m.Lines[0].InputUncached != 4000 || m.Lines[0].Output != 1000 || m.CostNano != 4000*500+1000*1000 || m.Tier != "batch" || m.Final || m.KeyName != "test0" {
		t.Errorf("m: %+v", m)
	}
	if n.Model != "n" || n.CostNano != 10*500+20*1000 || !n.Final || n.RequestID != m.RequestID || n.Attempt != 2 || n.PriceID != "n-price" {
		t.Errorf("n: %+v", n)
	}
	if got, want := m.Began(), w.shelf.find("batch_1").CreatedAt.Truncate(time.Millisecond); !got.Equal(want) {
		t.Errorf("the request began at %s, the batch at %s", got, want)
	}
	// Another gateway, which did not hear of it, writes the same rows.
	w.shelf.all[len(w.shelf.all)-1].Owed = false
	o := *w.shelf.find("batch_1")
	group := &asking{under: map[Exchange]struct{}{}}
	do(t, w.batches.settle(context.Background(), group, &o))
	again := w.pages.take()
	if len(again) != 1 || again[0][0].RequestID != m.RequestID || again[0][0].Attempt != 1 || again[0][0].CostNano != m.CostNano {
		t.Errorf("again: %+v", again)
	}
}

// Each reply of a batch is read in its own words, and has the batch tier's price by the price
// lists that are shipped.
func TestBatch_BookedByEndpoint(t *testing.T) {
	f := func(name, reply string, cost, unpriced string, want providers.Normal) {
		t.Helper()
		w := newTenants(t, func(_ *Options, s *Snapshot) { s.Prices = policy.NewPriceBook(catalog.Prices()) })
		w.ask(t, mine, http.MethodGet, "/healthz", "") // it serves, and so can be shut down
		w.own("mine", "one", providers.ObjectBatch, "batch_1")
		w.shelf.all[0].Owed, w.shelf.all[0].CreatedAt = true, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		w.up.answers(func(*http.Request) string { return `{"id":"batch_1","status":"completed","output_file_id":"file-out"}` })
		w.up.keep("file-out", `{"response":{"status_code":200,"body":`+reply+"}}\n")
		w.batches.round(t.Context())
		var entries []storage.Entry
		for _, kept := range w.pages.take() {
			entries = append(entries, kept...)
		}
		if len(entries) != 1 {
			t.Fatalf("%s: %d entries", name, len(entries))
		}
		e := &entries[0]
		want.Model, want.Tier = e.Model, "batch"
		if got := storage.FormatUSD(e.CostNano); got != cost || e.Unpriced != unpriced || e.Lines[0] != want {
			t.Errorf("%s: %s (%s), %+v; want %s (%s), %+v", name, got, e.Unpriced, e.Lines, cost, unpriced, want)
		}
	}
	type n = providers.Normal
	f("chat", `{"object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":0}}}`,
		"0.00175", "", n{InputUncached: 1000, Output: 100})
	f("embeddings", `{"object":"list","model":"text-embedding-3-small","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":1000,"total_tokens":1000}}`,
		"0.00001", "", n{InputUncached: 1000})
	f("responses", `{"object":"response","model":"o3","status":"completed","output":[],"usage":{"input_tokens":1000,"input_tokens_details":{"cached_tokens":200},"output_tokens":100,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":1100}}`,
		"0.00125", "", n{InputUncached: 800, CacheRead: 200, Output: 100, Reasoning: 64})
	f("images, of which the batch price is not known", `{"created":1,"data":[{"b64_json":"iVBO"}],"model":"gpt-image-1","usage":{"input_tokens":10,"output_tokens":272}}`,
		"0", "no price for tier batch", n{InputUncached: 10, Output: 272, ImageOut: 272, Images: 1})
}

// Results that cannot be read are looked at again: what was spent is not given up.
func TestBatch_BookedLater(t *testing.T) {
	w := newTenants(t)
	w.ask(t, mine, http.MethodGet, "/healthz", "") // it serves, and so can be shut down
	w.own("mine", "one", providers.ObjectBatch, "batch_1")
	w.shelf.all[0].Owed = true
	w.up.answers(func(r *http.Request) string {
		if strings.HasPrefix(r.URL.Path, "/files") {
			panic(http.ErrAbortHandler)
		}
		return `{"id":"batch_1","status":"completed","output_file_id":"file-out"}`
	})
	w.batches.round(t.Context())
	if !w.shelf.find("batch_1").Owed {
		t.Fatal("it is settled, and its results were not read")
	}
	w.up.keep("file-out", `{"response":{"status_code":200,"body":{"model":"m","usage":{"prompt_tokens":1,"completion_tokens":1}}}}`)
	w.pages.mu.Lock()
	w.pages.fails = errClientGone
	w.pages.mu.Unlock()
	w.batches.round(t.Context())
	if !w.shelf.find("batch_1").Owed {
		t.Fatal("it is settled, and not in the journal")
	}
	w.pages.mu.Lock()
	w.pages.fails = nil
	w.pages.mu.Unlock()
	w.batches.round(t.Context())
	if w.shelf.find("batch_1").Owed || len(w.pages.take()) != 1 {
		t.Error("it is not in the ledger")
	}
}

// A hard budget pays for no batch, as nobody knows what it will cost, and is named. Where its
// operator allows it, what the batch has cost is counted when it has ended, once, and then stands in
// the way of what comes after.
func TestBatch_Budget(t *testing.T) {
	one, half := int64(1_000_000_000), int64(500_000_000)
	prices := func(_ *Options, s *Snapshot) {
		s.Prices = policy.NewPriceBook([]storage.Price{{ID: "p", Provider: "openai", Model: "m", Rates: []storage.Rate{
			{Input: &one, Output: &one}, {Tier: "batch", Input: &half, Output: &half},
		}}})
	}
	begin := func(change ...setting) (*tenants, int, string) {
		w := newTenants(t, append(change, prices)...)
		w.own("mine", "two", providers.ObjectFile, "file-in")
		w.up.keep("file-in", batchLine("/v1/chat/completions", `{"model":"m","messages":[]}`))
		w.up.keep("file-out", `{"response":{"status_code":200,"body":{"id":"c","model":"m","usage":{"prompt_tokens":1000,"completion_tokens":1000}}}}`)
		w.up.answers(func(r *http.Request) string {
			if r.Method == http.MethodPost && r.URL.Path == "/batches" {
				return `{"id":"batch_1","status":"in_progress"}`
			}
			if strings.HasSuffix(r.URL.Path, "/chat/completions") {
				return wholeReply
			}
			return `{"id":"batch_1","status":"completed","output_file_id":"file-out"}`
		})
		status, body := w.ask(t, mine, http.MethodPost, "/v1/batches", `{"input_file_id":"file-in"}`)
		return w, status, body
	}
	hard := dollars(2_000_000)
	hard.Scope = storage.Scope{Kind: storage.ScopeWorkspace, Name: "mine"}
	w, status, body := begin(limited(t, nil, hard))
	if status != http.StatusForbidden || !strings.Contains(body, "unbounded_call") || !strings.Contains(body, "hard budget of workspace/mine") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := w.ask(t, mine, http.MethodGet, "/v1/files/file-in", ""); status != http.StatusOK {
		t.Errorf("a call that costs nothing: %d %s", status, body)
	}
	hard.Unbounded = storage.GapAllow
	w, status, body = begin(limited(t, nil, hard))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	chat := func() int {
		status, _ := w.ask(t, mine, http.MethodPost, "/v1/chat/completions", `{"model":"openai/m","max_tokens":100,"messages":[]}`)
		return status
	}
	if status := chat(); status != http.StatusOK {
		t.Errorf("before the batch has ended: %d", status)
	}
	w.batches.round(t.Context())
	if status := chat(); status != http.StatusOK {
		t.Errorf("after the batch has ended, and within the budget: %d", status)
	}
	spent := func() int64 {
		t.Helper()
		key := w.Snapshot().Keys.All()[0]
		var ask policy.Ask
		if err := w.Snapshot().Limits.For(key).Ask(&ask, &policy.Wanted{Now: time.Now(), Target: policy.Target{Provider: "openai", Model: "m"}}); err != nil {
			t.Fatal(err)
		}
		state, err := policy.StateOf(t.Context(), w.options.Counters, &ask.Budgets[0])
		if err != nil {
			t.Fatal(err)
		}
		return state.Spent
	}
	if got := spent(); got < 1_000_000 || got > 1_050_000 {
		t.Errorf("spent %d, want the batch's 1000000 and two calls", got)
	}
	o := *w.shelf.find("batch_1")
	before := spent()
	do(t, w.batches.settle(t.Context(), &asking{under: map[Exchange]struct{}{}}, &o)) // another gateway
	if after := spent(); after != before {
		t.Errorf("counted again: %d after %d", after, before)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
