package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// An outage is a load on gateways whose Redis comes and goes, under a budget that it does not
// come near meanwhile.
type outage struct {
	*crowd
	redis *storagetest.RedisServer
	mode  string
	end   chan struct{}
	calls sync.WaitGroup

	sound, degraded, denied atomic.Int64 // how calls ended
	longest                 atomic.Int64
}

const outageNano = 4000 * purchaseNano

func newOutage(t *testing.T, gateways int, mode string) *outage {
	t.Helper()
	redis := storagetest.OwnRedis(t)
	postgres := ""
	if gateways > 1 {
		postgres = fmt.Sprintf("postgres: %q, ", storagetest.Postgres(t))
	}
	more := fmt.Sprintf("budgets: [{scope: key/full, usd: %q, per: total}]\nlimits: [{scope: \"*\", requests_per_minute: 1000000, tokens_per_minute: 1000000000, concurrent: 1000}]\nstorage: {%sredis: %q, redis_mode: %s}\n",
		storage.FormatUSD(outageNano), postgres, redis.URL(), mode)
	o := &outage{crowd: limited(t, gateways, more), redis: redis, mode: mode, end: make(chan struct{})}
	o.reached(t) // before there is a load, each node hears how its budget stands
	for c := range 4 {
		o.calls.Go(func() { o.client(t, c%gateways) })
	}
	return o
}

// reached waits until every gateway counts in Redis: one that does not yet spends its own share,
// which mode local says may be more than there is.
func (o *outage) reached(t *testing.T) {
	t.Helper()
	for n := range o.at {
		eventually(t, "a gateway has asked Redis", func() bool {
			status, header, _ := call(&http.Client{Timeout: patience}, *o.at[n].Load(), simpleChat, "events=1")
			return status == http.StatusOK && header.Get("x-aistrale-limits") == ""
		})
	}
}

func (o *outage) client(t *testing.T, gateway int) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{}}
	for {
		select {
		case <-o.end:
			client.CloseIdleConnections()
			return
		default:
		}
		began := time.Now()
		status, header, text := call(client, *o.at[gateway].Load(), simpleChat, "input=20;events=10;pause=20ms")
		if took := int64(time.Since(began)); took > o.longest.Load() {
			o.longest.Store(took)
		}
		switch limits := header.Get("x-aistrale-limits"); {
		case status == http.StatusOK && limits == "":
			o.sound.Add(1)
		case status == http.StatusOK && limits == "degraded" && o.mode != "deny":
			o.degraded.Add(1)
		case status == http.StatusServiceUnavailable && o.mode == "deny" && header.Get("retry-after") != "" && gjson.Get(text, "error.code").Exists():
			o.denied.Add(1)
		default:
			t.Errorf("%s: a call ends with %d %v %s", o.mode, status, header, text)
			return
		}
	}
}

// without is the count of calls that ended as the mode says while Redis was away.
func (o *outage) without() *atomic.Int64 {
	if o.mode == "deny" {
		return &o.denied
	}
	return &o.degraded
}

// more waits until so many calls more have ended in one way.
func (o *outage) more(t *testing.T, what string, count *atomic.Int64) {
	t.Helper()
	want := count.Load() + 20
	eventually(t, o.mode+": calls while Redis is "+what, func() bool { return count.Load() >= want || t.Failed() })
}

// exhaust spends what is left with big calls, and gives what the ledger has.
func (o *outage) exhaust(t *testing.T) (nano int64) {
	t.Helper()
	close(o.end)
	o.calls.Wait()
	o.reached(t)
	body := strings.Replace(simpleChat, `"max_tokens":20`, `"max_tokens":1500`, 1)
	for n := range 8 {
		o.calls.Go(func() {
			client := &http.Client{Timeout: patience, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				status, header, text := call(client, *o.at[n%len(o.at)].Load(), body, "input=20;events=1000")
				if status == http.StatusTooManyRequests && gjson.Get(text, "error.code").Str == "insufficient_quota" {
					if header.Get("x-aistrale-limits") == "" {
						return
					}
					continue // a gateway's own share is spent, while Redis does not answer
				}
				if status != http.StatusOK && header.Get("retry-after") == "" {
					t.Errorf("%s: a call ends with %d %v %s", o.mode, status, header, text)
					return
				}
			}
		})
	}
	o.calls.Wait()
	for _, g := range o.running {
		g.stop(t)
	}
	return o.place.spent(t, o.configs[0])
}

// A budget that is new in the configuration of a start begins with what was spent of its window,
// also where Redis was there all the time and could have counted it.
func TestLimits_NewBudgetAtAStart(t *testing.T) {
	t.Parallel()
	url := storagetest.Redis(t)
	config := func(kind string) string {
		return fmt.Sprintf("budgets: [{scope: key/full, %s: 1000, per: day}]\nstorage: {redis: %q}\n", kind, url)
	}
	c := limited(t, 1, config("usd"))
	client := &http.Client{Timeout: patience}
	answers := func(what, settings string, want int) {
		t.Helper()
		eventually(t, what, func() bool {
			status, header, text := call(client, *c.at[0].Load(), simpleChat, settings)
			if status == http.StatusServiceUnavailable && header.Get("retry-after") != "" { // a ledger may be slow
				return false
			}
			if status != want || want == http.StatusTooManyRequests && gjson.Get(text, "error.code").Str != "insufficient_quota" {
				t.Errorf("%s: %d %s", what, status, text)
			}
			return true
		})
	}
	answers("the budget is there", "input=995;events=4", http.StatusOK)
	c.running[0].stop(t)
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	server := redis.NewClient(options)
	defer server.Close()
	if err := server.Set(t.Context(), "aistrale:{-}:since", time.Now().Add(-48*time.Hour).UnixMilli(), 0).Err(); err != nil {
		t.Fatal(err)
	}
	c.place.write(t, "g0.yaml", ledgerConfig(c.place.dir+"/data0", c.upstream, config("tokens")))
	c.start(t, 0)
	answers("the budget is known", "input=5;events=1", http.StatusTooManyRequests)
}

// Redis freezes, and is killed and comes back empty, under load: calls go on as the mode says, and
// what was spent meanwhile counts afterwards.
func TestLimits_RedisOutage(t *testing.T) {
	f := func(gateways int, mode string) {
		t.Helper()
		o := newOutage(t, gateways, mode)
		for range (kills() + 9) / 10 {
			o.more(t, "there", &o.sound)
			o.redis.Freeze()
			o.more(t, "frozen", o.without())
			o.redis.Thaw()
			o.more(t, "there", &o.sound)
			o.redis.Kill()
			o.more(t, "dead", o.without())
			o.redis.Start()
			o.more(t, "there", &o.sound)
		}
		spent := o.exhaust(t)
		t.Logf("%s, %d gateways: %d calls as usual, %d degraded, %d denied, the longest %s; %d of %d nano-USD spent (%.2f %%)",
			mode, gateways, o.sound.Load(), o.degraded.Load(), o.denied.Load(), time.Duration(o.longest.Load()).Round(time.Millisecond),
			spent, outageNano, 100*float64(spent)/outageNano)
		if spent > outageNano || spent < outageNano*95/100 {
			t.Errorf("%s, %d gateways: %d are spent of a budget of %d: the counters do not agree with the ledger", mode, gateways, spent, outageNano)
		}
		if bill := billed(o.mock); bill != spent {
			t.Errorf("%s, %d gateways: %d are billed, the ledger has %d", mode, gateways, bill, spent)
		}
	}
	f(1, "deny")
	f(1, "allow")
	f(2, "local")
}
