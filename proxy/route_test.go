package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// three are accounts of one, two and three, all well.
func three(t *testing.T) ([]*Account, map[string]*stage) {
	t.Helper()
	var accounts []*Account
	stages := map[string]*stage{}
	for _, name := range []string{"one", "two", "three"} {
		stages[name] = newStage(t, well, well)
		accounts = append(accounts, stages[name].account(t, name, ""))
	}
	return accounts, stages
}

// servedBy is the provider that answers.
func (g *testGateway) servedBy(t *testing.T, body string, headers ...string) string {
	t.Helper()
	status, h, text := g.as(t, 0, body, headers...)
	if status != 200 {
		t.Fatalf("status %d: %s", status, text)
	}
	return h.Get("x-aistrale-provider")
}

func weighted(names ...string) []policy.Target {
	list := targetsOf(names...)
	for i := range list {
		list[i].Weight = 1
	}
	return list
}

func TestRoute_Weighted(t *testing.T) {
	accounts, _ := three(t)
	g := newStagedGateway(t, &policy.Alias{Targets: weighted("one/m", "two/m")}, accounts)
	count := map[string]int{}
	for range 100 {
		count[g.servedBy(t, itWhole)]++
	}
	if count["one"] < 20 || count["two"] < 20 {
		t.Errorf("served by %v", count)
	}
}

// One session, or one beginning of a prompt, stays at one place; many are spread.
func TestRoute_Sticky(t *testing.T) {
	f := func(by policy.Sticky, call func(i int) (body string, headers []string)) {
		t.Helper()
		accounts, _ := three(t)
		g := newStagedGateway(t, &policy.Alias{Targets: weighted("one/m", "two/m", "three/m"), Sticky: by}, accounts)
		count := map[string]int{}
		for i := range 30 {
			body, headers := call(i)
			at := g.servedBy(t, body, headers...)
			count[at]++
			for range 3 {
				if again := g.servedBy(t, body, headers...); again != at {
					t.Fatalf("%s: call %d went to %s, then to %s", by, i, at, again)
				}
			}
		}
		if len(count) != 3 {
			t.Errorf("%s: all went to %v", by, count)
		}
	}
	f(policy.StickySession, func(i int) (string, []string) { return itWhole, []string{"x-aistrale-session", fmt.Sprint(i)} })
	f(policy.StickySession, func(i int) (string, []string) {
		return strings.Replace(itWhole, "{", fmt.Sprintf(`{"user":"u%d",`, i), 1), nil
	})
	f(policy.StickySession, func(i int) (string, []string) {
		return strings.Replace(itWhole, "{", fmt.Sprintf(`{"metadata":{"session_id":"s%d"},`, i), 1), nil
	})
	turn := 0
	f(policy.StickyPrefix, func(i int) (string, []string) {
		turn++
		return fmt.Sprintf(`{"model":"it","messages":[{"role":"system","content":"prompt %d"},{"role":"user","content":"hi"},{"role":"assistant","content":"%d"}]}`, i, turn), nil
	})
}

// What the alias leaves open, the key may say.
func TestRoute_StickyByKey(t *testing.T) {
	accounts, _ := three(t)
	g := newStagedGateway(t, &policy.Alias{Targets: weighted("one/m", "two/m", "three/m")}, accounts, allKeys(t, func(k *storage.Key) { k.Sticky = "session" }))
	count := map[string]int{}
	for i := range 20 {
		session := []string{"x-aistrale-session", fmt.Sprint(i)}
		at := g.servedBy(t, itWhole, session...)
		count[at]++
		if again := g.servedBy(t, itWhole, session...); again != at {
			t.Fatalf("session %d went to %s, then to %s", i, at, again)
		}
	}
	if len(count) != 3 {
		t.Errorf("all went to %v", count)
	}
}

// A session that moved on stays where it was served last, whose cache is warm, though its first
// place is back.
func TestRoute_StaysWhereItIsWarm(t *testing.T) {
	first, second := newStage(t, failsFirst(1, says(500)), well), newStage(t, well, well)
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m"), Sticky: policy.StickySession},
		[]*Account{first.account(t, "one", ""), second.account(t, "two", "")})
	session := []string{"x-aistrale-session", "s"}
	for range 3 {
		if at := g.servedBy(t, itWhole, session...); at != "two" {
			t.Errorf("the session is at %s", at)
		}
	}
	if at := g.servedBy(t, itWhole, "x-aistrale-session", "new"); at != "one" {
		t.Errorf("a new session is at %s", at)
	}
}

// Several credentials share a provider's calls by their weights; a sticky call keeps its own.
func TestRoute_SeveralCredentials(t *testing.T) {
	only := newStage(t, well, well)
	a, b := only.account(t, "one", "a"), only.account(t, "one", "b")
	a.Weight, b.Weight = 3, 1
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m"), Sticky: policy.StickySession}, []*Account{a, b})
	count := map[string]int{}
	for range 200 {
		g.servedBy(t, itWhole)
		count[g.records.next(t).Credential]++
	}
	if count["a"] < 120 || count["b"] < 25 {
		t.Errorf("served by %v, not 3 to 1", count)
	}
	for range 10 {
		g.servedBy(t, itWhole, "x-aistrale-session", "s")
		count[g.records.next(t).Credential] = -1
	}
	if len(count) != 2 || (count["a"] == -1) == (count["b"] == -1) {
		t.Errorf("a session has no credential of its own: %v", count)
	}
}

func TestRoute_Cheapest(t *testing.T) {
	accounts, _ := three(t)
	prices := func(_ *Options, s *Snapshot) {
		price := func(provider string, in, out int64) storage.Price {
			return storage.Price{ID: provider, Provider: provider, Model: "m", Rates: []storage.Rate{{Input: &in, Output: &out}}}
		}
		s.Prices = policy.NewPriceBook([]storage.Price{price("one", 10e9, 10e9), price("two", 1e9, 20e9)}) // none of three
	}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("three/m", "one/m", "two/m"), Strategy: policy.StrategyCheapest}, accounts, prices)
	f := func(body, want string) {
		t.Helper()
		if got := g.servedBy(t, body); got != want {
			t.Errorf("%d bytes: served by %s, not %s", len(body), got, want)
		}
	}
	f(itWhole, "one")                                                          // mostly output
	f(strings.Replace(itWhole, "hi", strings.Repeat("word ", 2000), 1), "two") // mostly input
	f(strings.Replace(itWhole, "{", `{"max_tokens":1,`, 1), "two")
}

func TestRoute_LeastLatency(t *testing.T) {
	accounts, _ := three(t)
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m"), Strategy: policy.StrategyLatency}, accounts)
	now := time.Now()
	for name, took := range map[string]time.Duration{"one": time.Hour, "two": time.Minute} {
		c := g.options.Health.Circuit(policy.Place{Provider: name, Model: "m"}, &testBreaker)
		c.Begin(now)
		c.End(policy.Sample{Result: policy.ResultServed, Stream: true, Took: took}, now)
	}
	for range 10 {
		if at := g.servedBy(t, itStream); at != "two" {
			t.Errorf("served by %s", at)
		}
	}
}

func TestRoute_RegionPin(t *testing.T) {
	accounts, stages := three(t)
	accounts[1].Region, accounts[2].Region = "us", "eu"
	f := func(regions []string, want string) {
		t.Helper()
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m", "two/m", "three/m")}, accounts, func(_ *Options, s *Snapshot) {
			s.Regions = policy.Regions{storage.DefaultWorkspace: regions}
		})
		status, h, body := g.as(t, 0, itWhole)
		if want == "" && status == 403 && strings.Contains(body, "regions") {
			return
		}
		if got := h.Get("x-aistrale-provider"); got != want {
			t.Errorf("kept to %v: status %d by %s: %s", regions, status, got, body)
		}
	}
	f([]string{"eu"}, "three")
	f([]string{"ap", "us"}, "two")
	f([]string{"eu", "us"}, "two")
	f([]string{"ap"}, "")
	f(nil, "")
	if n := stages["one"].calls.Load(); n != 0 {
		t.Errorf("%d calls left the regions", n)
	}
}

// A key that may names models to fall back to; they are held to what the key may use.
func TestRoute_FallbacksOfTheClient(t *testing.T) {
	first, second := newStage(t, says(500), well), newStage(t, well, well)
	f := func(said string, change func(*storage.Key), status int, provider string) {
		t.Helper()
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{first.account(t, "one", ""), second.account(t, "two", "")},
			func(_ *Options, s *Snapshot) {
				key, err := storage.KeyOf("test", testKey)
				if err != nil {
					t.Fatal(err)
				}
				change(&key)
				s.Keys = policy.NewKeyring([]storage.Key{key})
			})
		got, h, body := g.post(t, itWhole, "x-aistrale-fallbacks", said)
		if got != status || h.Get("x-aistrale-provider") != provider {
			t.Errorf("%q: status %d by %q: %s", said, got, h.Get("x-aistrale-provider"), body)
		}
	}
	may := func(k *storage.Key) { k.Allow = []string{"fallbacks"} }
	f("two/m", may, 200, "two")
	f(" one/n , two/m", may, 200, "two")
	f("", may, 502, "one")
	f("two/m", func(*storage.Key) {}, 403, "")
	f("two/m", func(k *storage.Key) { may(k); k.Models = []string{"it", "one/*"} }, 403, "")
	f("nobody/m", may, 404, "")
	f("a b", may, 400, "")
	f(strings.Repeat("two/m,", 9), may, 400, "")
}

// A workspace that has accounts of its own is served by those, and nobody else is.
func TestRoute_OwnAccounts(t *testing.T) {
	everybody, own := newStage(t, well, well), newStage(t, well, well)
	theirs := own.account(t, "one", "team/c")
	theirs.Used = &Use{}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{everybody.account(t, "one", "c")}, func(_ *Options, s *Snapshot) {
		s.Own = map[string]map[string][]*Account{"team": {"one": {theirs}}}
	})
	g.as(t, 0, itWhole)
	if everybody.calls.Load() != 1 || !theirs.Used.Last().IsZero() {
		t.Fatal("a call of another workspace reached the team's account")
	}
	s := g.Snapshot()
	key, err := storage.KeyOf("team", keyNumber(0))
	if err != nil {
		t.Fatal(err)
	}
	key.Workspace = "team"
	g.Swap(&Snapshot{Keys: policy.NewKeyring([]storage.Key{key}), Router: s.Router, Accounts: s.Accounts, Own: s.Own, Prices: s.Prices})
	if status, _, body := g.as(t, 0, itWhole); status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	if own.calls.Load() != 1 || everybody.calls.Load() != 1 || theirs.Used.Last().IsZero() {
		t.Fatalf("%d calls of the team's account, %d of everybody's", own.calls.Load(), everybody.calls.Load())
	}
}
