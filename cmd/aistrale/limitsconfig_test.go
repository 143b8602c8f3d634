package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/mock"
	"github.com/aistrale/aistrale/storage"
)

// reloaded gives a running gateway another config, and waits until it has it.
func (c *crowd) reloaded(t *testing.T, n int, more string) {
	t.Helper()
	times := strings.Count(c.running[n].out.String(), `"msg":"reloaded"`)
	c.place.write(t, fmt.Sprintf("g%d.yaml", n), ledgerConfig(fmt.Sprintf("%s/data%d", c.place.dir, n), c.upstream, more))
	eventually(t, "the config is read again", func() bool {
		return strings.Count(c.running[n].out.String(), `"msg":"reloaded"`) > times
	})
}

// A reload that changes limits loses nothing of what was counted.
func TestLimits_Reload(t *testing.T) {
	t.Parallel()
	const cheap = 20 * purchaseNano
	config := func(nano int64, more string) string {
		return fmt.Sprintf("budgets: [{scope: key/full, usd: %q, per: total}]\nlimits: [{scope: key/full, models: [mock/claude], requests_per_day: 3}%s]\n",
			storage.FormatUSD(nano), more)
	}
	c := limited(t, 1, config(cheap, ""))
	client := &http.Client{Timeout: patience}
	say := func(model string, want int) {
		t.Helper()
		body := strings.Replace(simpleChat, "mock/gpt", model, 1)
		if status, _, text := call(client, *c.at[0].Load(), body, "input=5;events=1"); status != want {
			t.Errorf("%s: %d, want %d: %s", model, status, want, text)
		}
	}
	spend := func(limit int64) {
		t.Helper()
		for {
			// No call that is cheaper is asked for afterwards, which the rest may pay for.
			status, _, text := call(client, *c.at[0].Load(), simpleChat, "input=20;events=20")
			if gjson.Get(text, "error.code").Str == "insufficient_quota" {
				break
			}
			if status != http.StatusOK {
				t.Fatalf("%d %s", status, text)
			}
		}
		if bill := billed(c.mock); bill > limit || bill < limit-400_000 {
			t.Errorf("%d are billed under a budget of %d", bill, limit)
		}
	}
	say("mock/claude", http.StatusOK)
	say("mock/claude", http.StatusOK)
	c.reloaded(t, 0, config(cheap, ", {scope: all, requests_per_minute: 1000000}"))
	say("mock/claude", http.StatusOK)
	say("mock/claude", http.StatusTooManyRequests)
	spend(cheap)
	c.reloaded(t, 0, config(cheap, ""))
	say("mock/gpt", http.StatusTooManyRequests)
	c.reloaded(t, 0, config(2*cheap, ""))
	say("mock/gpt", http.StatusOK)
	spend(2 * cheap)
	c.reloaded(t, 0, config(cheap, ""))
	say("mock/gpt", http.StatusTooManyRequests)
	c.running[0].stop(t)
	if spent := c.place.spent(t, c.configs[0]); spent != billed(c.mock) {
		t.Errorf("the ledger has %d, %d are billed", spent, billed(c.mock))
	}
}

// What a key and an alias say of parameters reaches the provider, and what they deny does not.
func TestLimits_Parameters(t *testing.T) {
	t.Parallel()
	m, upstream := emulator(t)
	p := newPlace(t)
	g := p.serve(t, anywhere+`
providers: [{name: mock, base_url: "http://`+upstream+`", api_key: any}, {name: other, dialect: openai, base_url: "http://`+upstream+`/openai/v1", api_key: any}]
aliases:
  careful: {targets: [mock/gpt], defaults: {temperature: 0.5, top_p: 0.25}, force: {seed: 7, user: null}}
keys:
  - {name: full, key: `+fullKey+`, allow: ["*"], defaults: {temperature: 0.75}, force: {presence_penalty: 0.5},
     deny_models: ["mock/cl*"], deny_providers: [other], deny: [service_tier]}
budgets: [{scope: key/full, usd: 10, per: total}]
`)
	f := func(model, more string, want int, code string) (sent gjson.Result) {
		t.Helper()
		before := len(m.Calls())
		status, _, text := do(t, g.request(t, fullKey, model, more))
		calls := m.Calls()
		if status != want || gjson.Get(text, "error.code").Str != code {
			t.Errorf("%s %s: %d %s", model, more, status, text)
		}
		if reached := len(calls) > before; reached != (want == http.StatusOK) {
			t.Errorf("%s %s: has it reached the provider: %t", model, more, reached)
		}
		return gjson.ParseBytes(calls[len(calls)-1].Body)
	}
	sent := f("careful", `,"user":"ada","seed":1,"top_p":0.125`, 200, "")
	for field, want := range map[string]string{"temperature": "0.75", "top_p": "0.125", "seed": "7", "user": "", "presence_penalty": "0.5"} {
		if got := sent.Get(field).Raw; got != want {
			t.Errorf("%s is sent as %q, want %q: %s", field, got, want, sent.Raw)
		}
	}
	if sent = f("mock/gpt", `,"user":"ada"`, 200, ""); sent.Get("seed").Exists() || sent.Get("user").Str != "ada" || sent.Get("temperature").Raw != "0.75" {
		t.Errorf("without the alias: %s", sent.Raw)
	}
	f("mock/claude", "", 403, "model_not_found")
	f("other/gpt", "", 403, "model_not_found")
	f("mock/gpt", `,"service_tier":"priority"`, 403, "")
	// A search has no bound that a hard budget could hold.
	f("mock/gpt", `,"web_search_options":{}`, 403, "unbounded_call")
}

// failing is a gateway whose first provider does what x-mock says, and whose second is sound. What
// is learnt of one model says nothing of the others, which lead to the same places.
func failing(t *testing.T, first, second string, rules ...string) *program {
	t.Helper()
	var aliases strings.Builder
	for n := range 20 {
		rule := ""
		if n < len(rules) {
			rule = rules[n]
		}
		fmt.Fprintf(&aliases, "  both%d: {targets: [first/gpt-%d, second/gpt-%d]%s}\n", n, n, n, rule)
	}
	return newPlace(t).serve(t, anywhere+`
providers:
  - {name: first, dialect: openai, base_url: "http://`+first+`/openai/v1", api_key: any, forward: [x-mock], timeouts: {first_byte: 200ms}}
  - {name: second, dialect: openai, base_url: "http://`+second+`/openai/v1", api_key: any}
aliases:
`+aliases.String()+`
keys: [{name: full, key: `+fullKey+`}, {name: narrow, key: `+narrowKey+`}]
`)
}

// However the first provider fails before its content, the client sees an answer of the second.
func TestLimits_Fallbacks(t *testing.T) {
	t.Parallel()
	bad, first := emulator(t)
	good, second := emulator(t)
	g := failing(t, first, second)
	each := 10
	if proving {
		each = 200
	}
	failures := []string{
		"status=429;retry-after=100ms", "status=429;retry-after=60", "status=500", "status=503", "status=529", "status=401", "status=404",
		"delay=2s", "hang", "cut=0", "slow-headers=2s",
	}
	var asked, answered, attempts atomic.Int64
	var work sync.WaitGroup
	f := func(n int, settings string, stream bool) {
		work.Go(func() {
			client := &http.Client{Timeout: patience}
			for range each {
				asked.Add(1)
				body := fmt.Sprintf(`{"model":"both%d","max_tokens":20,"stream":%t,"messages":[{"role":"user","content":"hi"}]}`, n, stream)
				status, header, text := call(client, g.url, body, settings)
				n, _ := strconv.ParseInt(header.Get("x-aistrale-attempts"), 10, 64)
				attempts.Add(n)
				if status == http.StatusOK && (!stream || strings.Contains(text, "[DONE]")) && !strings.Contains(text, `"error"`) {
					answered.Add(1)
				} else {
					t.Logf("%s, stream %t: %d %s", settings, stream, status, text)
				}
			}
		})
	}
	for n, settings := range failures {
		f(n, settings, false)
		f(n, settings, true)
	}
	f(len(failures), "error=0", true)
	work.Wait()
	t.Logf("%d of %d calls are answered, with %d attempts; the first provider had %d, the second %d",
		answered.Load(), asked.Load(), attempts.Load(), len(bad.Calls()), len(good.Calls()))
	if answered.Load()*1000 < asked.Load()*999 {
		t.Errorf("%d of %d calls are answered", answered.Load(), asked.Load())
	}
	for n := range len(failures) + 1 {
		if !slices.ContainsFunc(bad.Calls(), func(c mock.Call) bool { return gjson.GetBytes(c.Body, "model").Str == fmt.Sprintf("gpt-%d", n) }) {
			t.Errorf("failure %d was not tried", n)
		}
	}
	if len(good.Calls()) < int(asked.Load()) {
		t.Errorf("the first provider had %d calls, the second %d of %d", len(bad.Calls()), len(good.Calls()), asked.Load())
	}
	// A wrong request is wrong everywhere, and is sent on to nobody.
	before := len(good.Calls())
	status, _, text := call(&http.Client{Timeout: patience}, g.url, `{"model":"both19","messages":[{"role":"user","content":"hi"}]}`, "status=400")
	if status != http.StatusBadRequest || len(good.Calls()) != before {
		t.Errorf("a bad request: %d %s", status, text)
	}
}

// A first provider that is gone altogether is left alone soon: hardly any call is tried there.
func TestLimits_FallbackFromDead(t *testing.T) {
	t.Parallel()
	good, second := emulator(t)
	shut, url := newDoor(t, "http://"+second)
	shut.shut()
	g := failing(t, strings.TrimPrefix(url, "http://"), second)
	calls := 200
	var answered, attempts atomic.Int64
	var work sync.WaitGroup
	for _, key := range []string{fullKey, narrowKey} {
		work.Go(func() {
			for range calls / 2 {
				status, header, text := do(t, g.request(t, key, "both0", ""))
				n, _ := strconv.ParseInt(header.Get("x-aistrale-attempts"), 10, 64)
				if attempts.Add(n); status == http.StatusOK {
					answered.Add(1)
				} else {
					t.Logf("%d %s", status, text)
				}
			}
		})
	}
	work.Wait()
	t.Logf("%d of %d calls are answered, with %d attempts", answered.Load(), calls, attempts.Load())
	if int(answered.Load())*1000 < calls*999 || int(attempts.Load())*10 > calls*12 || len(good.Calls()) < calls {
		t.Errorf("%d of %d calls are answered, with %d attempts", answered.Load(), calls, attempts.Load())
	}
}

// Which failures move on is the alias' to say.
func TestLimits_TypedFallbacks(t *testing.T) {
	t.Parallel()
	bad, first := emulator(t)
	good, second := emulator(t)
	cases := []struct {
		on, settings string
		moves        bool
	}{
		{"rate_limited", "status=429;retry-after=30", true},
		{"overloaded", "status=429;retry-after=30", false},
		{"overloaded", "status=529", true},
		{"rate_limited", "status=529", false},
		{"timeout", "hang", true},
		{"error", "hang", false},
		{"", "status=500", false},
	}
	var rules []string
	for _, c := range cases {
		rules = append(rules, ", fallback_on: ["+c.on+"]")
	}
	g := failing(t, first, second, rules...)
	for n, c := range cases {
		before := len(good.Calls())
		status, _, text := call(&http.Client{Timeout: patience}, g.url, strings.Replace(simpleChat, "mock/gpt", fmt.Sprintf("both%d", n), 1), c.settings)
		if moved := len(good.Calls()) > before; moved != c.moves || (status == http.StatusOK) != c.moves {
			t.Errorf("fallback_on [%s], %s: %d, moved on: %t: %s", c.on, c.settings, status, moved, text)
		}
	}
	if len(bad.Calls()) < len(cases) {
		t.Errorf("the first provider had %d calls", len(bad.Calls()))
	}
}
