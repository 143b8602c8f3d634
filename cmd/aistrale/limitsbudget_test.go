package main_test

import (
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/mock"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// proving is set in make prove, where nothing is shortened.
var proving = os.Getenv("AISTRALE_PROVE") != ""

// What a purchase costs in the mean, by the emulator's own bill: our bound of it is several times
// as much, since it takes bytes for tokens and max_tokens for what is made.
const (
	purchaseInput  = 20
	purchaseEvents = 30 // 10 to 50
	purchaseMost   = 100
	purchaseNano   = purchaseInput*mock.InputPrice + purchaseEvents*mock.OutputPrice

	affordable = 137
	budgetNano = affordable * purchaseNano
)

// spending is a crowd that calls until its budget is spent, and shops are the gateways it calls.
type spending struct {
	*crowd
	patience int // so many refusals in a row for what others have reserved end a client too; 0: none do

	bought, held, unchecked, away atomic.Int64
	clients                       sync.WaitGroup
}

// spenders makes gateways under one budget, which all of them share where there are several. These
// deny what they cannot check: Redis may well be slow on a machine that does all this at once, and
// of shares that nodes count by themselves nothing exact can be said.
func spenders(t *testing.T, gateways int, redis string) *spending {
	t.Helper()
	more := fmt.Sprintf("budgets: [{scope: key/full, usd: %q, per: total}]\n", storage.FormatUSD(budgetNano))
	if gateways > 1 {
		more += fmt.Sprintf("storage: {postgres: %q, redis: %q, redis_mode: deny}\n", storagetest.Postgres(t), redis)
	}
	s := &spending{crowd: gather(t, gateways, more)}
	var starting sync.WaitGroup
	for n := range gateways {
		starting.Go(func() { s.crowd.start(t, n) })
	}
	starting.Wait()
	return s
}

// spend sets so many clients off, spread over the gateways.
func (s *spending) spend(t *testing.T, clients int) {
	for c := range clients {
		s.clients.Go(func() { s.client(t, c%len(s.at)) })
	}
}

// client buys until it is told that the budget is spent.
func (s *spending) client(t *testing.T, gateway int) {
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	for held, end := 0, time.Now().Add(5*patience); ; {
		if time.Now().After(end) {
			t.Error("the budget does not come to an end")
			return
		}
		status, header, text := purchase(client, *s.at[gateway].Load())
		switch code := gjson.Get(text, "error.code").Str; {
		case status == http.StatusOK:
			s.bought.Add(1)
			held = 0
			continue
		case status == http.StatusTooManyRequests && code == "insufficient_quota":
			return
		case status == http.StatusTooManyRequests && header.Get("retry-after") != "":
			s.held.Add(1)
			if held++; s.patience > 0 && held >= s.patience {
				return
			}
		case status == http.StatusServiceUnavailable && header.Get("retry-after") != "":
			s.unchecked.Add(1) // Redis is slow, or the ledger still lacks what a gateway left that was killed
		case status == 0:
			s.away.Add(1) // the gateway is being killed
		default:
			t.Errorf("a purchase: %d %v %s", status, header, text)
			return
		}
		<-time.After(rand.N(50 * time.Millisecond)) // a client that is in a hurry
	}
}

// purchase makes one call.
func purchase(client *http.Client, url string) (status int, header http.Header, text string) {
	model := []string{"mock/gpt", "mock/claude", "mock/gemini"}[rand.IntN(3)]
	body := fmt.Sprintf(`{"model":%q,"stream":%t,"max_tokens":%d,"messages":[{"role":"user","content":"buy"}]}`, model, rand.IntN(2) == 0, purchaseMost)
	settings := fmt.Sprintf("input=%d;events=%d;pause=%dms", purchaseInput, purchaseEvents-20+rand.IntN(41), rand.IntN(20))
	return call(client, url, body, settings)
}

// call makes a chat call with settings for the emulator. A status of 0 is no answer, or half a one.
func call(client *http.Client, url, body, settings string) (status int, header http.Header, text string) {
	req, err := http.NewRequest(http.MethodPost, url+chatPath, strings.NewReader(body))
	if err != nil {
		return 0, nil, err.Error()
	}
	req.Header.Set("authorization", "Bearer "+fullKey)
	req.Header.Set("x-mock", settings)
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, err.Error()
	}
	return resp.StatusCode, resp.Header, string(all)
}

// close ends the gateways and gives what the ledger says was spent.
func (s *spending) close(t *testing.T) (nano int64) {
	t.Helper()
	for _, g := range s.running {
		g.stop(t)
	}
	return s.place.spent(t, s.configs[0])
}

// spent is what the ledger has, in nano-USD.
func (p *place) spent(t *testing.T, config string) int64 {
	t.Helper()
	out := p.must(t, "", "usage", "--since", "2h", "--json", "--config", config)
	cost, ok := new(big.Rat).SetString(gjson.Get(out, "0.cost_usd").Raw)
	if !ok {
		t.Fatalf("usage: %s", out)
	}
	cost.Mul(cost, big.NewRat(1_000_000_000, 1))
	if !cost.IsInt() {
		t.Fatalf("usage: a cost of parts of a nano-USD: %s", out)
	}
	return cost.Num().Int64()
}

// billed is what the emulator would charge.
func billed(m *mock.Server) (nano int64) {
	for _, l := range m.Bill() {
		nano += l.NanoUSD()
	}
	return nano
}

// callers is how many clients race for a budget.
func callers() int {
	if proving {
		return 1000
	}
	return 200
}

func TestLimits_Budget(t *testing.T) {
	t.Parallel()
	f := func(gateways int) {
		t.Helper()
		redis := ""
		if gateways > 1 {
			redis = storagetest.Redis(t)
		}
		s := spenders(t, gateways, redis)
		began := time.Now()
		s.spend(t, callers())
		s.clients.Wait()
		took := time.Since(began)
		spent := s.close(t)
		t.Logf("%d gateways, %d callers, %s: %d of %d nano-USD spent (%.1f %%) by %d calls; %d refusals for reservations, %d for Redis",
			gateways, callers(), took.Round(time.Millisecond), spent, budgetNano, 100*float64(spent)/budgetNano, s.bought.Load(), s.held.Load(), s.unchecked.Load())
		if spent > budgetNano || spent < budgetNano*95/100 {
			t.Errorf("%d gateways: %d nano-USD are spent of a budget of %d", gateways, spent, budgetNano)
		}
		if bill := billed(s.mock); bill != spent {
			t.Errorf("%d gateways: the provider bills %d, the ledger has %d", gateways, bill, spent)
		}
	}
	f(1)
	f(3)
}

// counter is how the budget stands in Redis: what was spent, and what is held for calls of which
// nobody has heard. Two minutes after such a call that is charged; here it is no part of what was spent.
func (s *spending) counter(t *testing.T, url string, rows []ledgerRow) (spent, unheard int64) {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	fields, err := client.HGetAll(t.Context(), "aistrale:budget:{default}key/full:usd:total:").Result()
	if err != nil {
		t.Fatal(err)
	}
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatalf("%v: %v", fields, err)
		}
		return n
	}
	known := map[string]bool{}
	for _, row := range rows {
		known[fmt.Sprintf("x%s/%d", row.RequestID, row.Attempt)] = true
	}
	spent, unheard = number(fields["spent"]), number(fields["reserved"])
	for field, text := range fields {
		if field[0] != 'x' || known[field] {
			continue
		}
		charged, _, _ := strings.Cut(text, " ") // and in which slice of a rolling window
		spent, unheard = spent-number(charged), unheard+number(charged)
	}
	return spent, unheard
}

// A gateway is killed while it spends, and starts again. What it had under way is charged with
// what its journal knew, also where the reservations stand in Redis: no more than the budget is ever
// spent, and nearly all of it is.
func TestLimits_BudgetOfKilledGateway(t *testing.T) {
	t.Parallel()
	f := func(gateways int) {
		t.Helper()
		redis := ""
		if gateways > 1 {
			redis = storagetest.Redis(t)
		}
		s := spenders(t, gateways, redis)
		if !proving {
			s.patience = 2 // what a dead gateway was granted and never heard of is held for two minutes
		}
		s.spend(t, callers()/4)
		victim := gateways - 1
		for _, part := range []int64{affordable / 4, affordable / 2} {
			eventually(t, "the budget is spent in part", func() bool { return s.bought.Load() >= part })
			s.kill(t, victim)
			s.start(t, victim)
		}
		s.clients.Wait()
		spent, bill := s.close(t), billed(s.mock)
		rows := s.place.usageRows(t, s.configs[0])
		lost := 0
		for _, row := range rows {
			if row.Outcome == string(storage.OutcomeLost) {
				lost++
			}
		}
		t.Logf("%d gateways, one killed twice: %d of %d nano-USD in the ledger, %d billed, by %d calls, %d of them lost; %d refusals for reservations, %d for Redis, %d without an answer",
			gateways, spent, budgetNano, bill, len(rows), lost, s.held.Load(), s.unchecked.Load(), s.away.Load())
		if spent > budgetNano || bill > budgetNano {
			t.Errorf("%d gateways: %d nano-USD are in the ledger and %d are billed, of a budget of %d", gateways, spent, bill, budgetNano)
		}
		var unheard int64
		if gateways > 1 {
			var counted int64
			if counted, unheard = s.counter(t, redis, rows); counted != spent {
				t.Errorf("the counter stands at %d, the ledger at %d", counted, spent)
			}
			t.Logf("%d nano-USD are held for calls that the dead gateway never heard the grant of", unheard)
		}
		if spent+unheard < budgetNano*95/100 {
			t.Errorf("%d gateways: only %d nano-USD are spent of a budget of %d", gateways, spent, budgetNano)
		}
		if s.away.Load() == 0 {
			t.Errorf("%d gateways: no call was under way in the gateway that was killed", gateways)
		}
	}
	f(1)
	f(3)
}

// A provider that bills otherwise than its requests allow: nobody can be held to a bound that the
// provider does not keep, so a budget may be passed by just that.
func TestLimits_AdversarialProvider(t *testing.T) {
	t.Parallel()
	f := func(name, body string, settings func(body string) string) {
		t.Helper()
		s := spenders(t, 1, "")
		client := &http.Client{Timeout: patience}
		var work sync.WaitGroup
		for range 8 {
			work.Go(func() {
				for {
					status, header, text := call(client, *s.at[0].Load(), body, settings(body))
					if gjson.Get(text, "error.code").Str == "insufficient_quota" {
						return
					}
					if status != http.StatusOK && header.Get("retry-after") == "" {
						t.Errorf("%s: %d %s", name, status, text)
						return
					}
				}
			})
		}
		work.Wait()
		spent, beyond := s.close(t), beyondPromise(t, s.mock)
		t.Logf("%s: %d of %d nano-USD, %d beyond max_tokens", name, spent, budgetNano, beyond)
		if spent > budgetNano+beyond {
			t.Errorf("%s: %d are spent of %d, and only %d were billed beyond max_tokens", name, spent, budgetNano, beyond)
		}
		if bill := billed(s.mock); bill != spent {
			t.Errorf("%s: %d are billed, the ledger has %d", name, bill, spent)
		}
		if strings.Contains(name, "beyond") != (beyond > 0) {
			t.Errorf("%s: %d are billed beyond max_tokens", name, beyond)
		}
	}
	words := strings.Repeat("x ", 100)
	plain := fmt.Sprintf(`{"model":"mock/gpt","max_tokens":50,"messages":[{"role":"user","content":%q}]}`, words)
	// What we send is as long as what we got, but for the model's name.
	bytes := func(body string) string { return strconv.Itoa(len(body)) }
	f("a token a byte", plain, func(body string) string { return "input=" + bytes(body) + ";events=1000" })
	f("eight choices", `{"model":"mock/gpt","max_tokens":20,"n":8,"messages":[{"role":"user","content":"hi"}]}`,
		func(body string) string { return "input=" + bytes(body) + ";events=1000" })
	f("output beyond max_tokens", plain, func(string) string { return "input=20;events=1000;output=300" })
	f("choices beyond max_tokens", `{"model":"mock/gpt","max_tokens":20,"n":8,"stream":true,"messages":[{"role":"user","content":"hi"}]}`,
		func(string) string { return "input=20;events=1000;output=500" })
}

// beyondPromise is what the emulator billed beyond the max_tokens of its requests.
func beyondPromise(t *testing.T, m *mock.Server) (nano int64) {
	t.Helper()
	for _, call := range m.Calls() {
		if call.Status != http.StatusOK {
			continue
		}
		most := gjson.GetBytes(call.Body, "max_tokens").Int() + gjson.GetBytes(call.Body, "max_completion_tokens").Int()
		most *= max(1, gjson.GetBytes(call.Body, "n").Int())
		if most == 0 {
			t.Errorf("a request without a bound: %s", call.Body)
		}
		for _, line := range call.Headers {
			_, after, ok := strings.Cut(line, "output=")
			if !ok {
				continue
			}
			output, err := strconv.ParseInt(after, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			nano += max(0, output-most) * mock.OutputPrice
		}
	}
	return nano
}
