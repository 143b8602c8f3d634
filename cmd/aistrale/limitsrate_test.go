package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/storage/storagetest"
)

const simpleChat = `{"model":"mock/gpt","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}`

// limited makes gateways with limits, which run.
func limited(t *testing.T, gateways int, more string) *crowd {
	t.Helper()
	c := gather(t, gateways, more)
	var starting sync.WaitGroup
	for n := range gateways {
		starting.Go(func() { c.start(t, n) })
	}
	starting.Wait()
	return c
}

// surge is a load of calls at a pace, and when each was answered.
type surge struct {
	mu       sync.Mutex
	answered []time.Time // by a grant or by a refusal
	admitted int
	began    time.Time
	took     time.Duration
}

// overload calls all gateways together so many times a second, for a while.
func (c *crowd) overload(t *testing.T, each time.Duration, lasts time.Duration) *surge {
	t.Helper()
	const clients = 4 // of each gateway
	s := &surge{began: time.Now()}
	var work sync.WaitGroup
	for n := range clients * len(c.at) {
		work.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: patience}
			tick := time.NewTicker(each * time.Duration(clients*len(c.at)))
			defer tick.Stop()
			for time.Since(s.began) < lasts {
				status, header, text := call(client, *c.at[n%len(c.at)].Load(), simpleChat, "")
				s.note(t, status, header, text)
				<-tick.C
			}
		})
	}
	work.Wait()
	s.took = time.Since(s.began)
	return s
}

func (s *surge) note(t *testing.T, status int, header http.Header, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case status == http.StatusOK:
		s.admitted++
	case status == http.StatusServiceUnavailable && header.Get("retry-after") != "": // Redis is slow here
		return
	case status != http.StatusTooManyRequests || gjson.Get(text, "error.code").Str != "rate_limit_exceeded":
		t.Errorf("%d %s", status, text)
	}
	s.answered = append(s.answered, time.Now())
}

// idle is how long, all in all, nobody was answered for more than a while: what a rate has to
// give in such a time may go to nobody.
func (s *surge) idle(while time.Duration) (sum time.Duration) {
	slices.SortFunc(s.answered, time.Time.Compare)
	last := s.began
	for _, at := range append(s.answered, s.began.Add(s.took)) {
		if gap := at.Sub(last); gap > while {
			sum += gap
		}
		last = at
	}
	return sum
}

// Under ten times the load, a rate admits what it says and a burst, on one node and on three.
func TestLimits_RateUnderOverload(t *testing.T) {
	const (
		perSecond = 20
		burst     = 5
	)
	lasts := 2 * time.Second
	if proving {
		lasts = 10 * time.Second
	}
	f := func(gateways int, more string) {
		t.Helper()
		c := limited(t, gateways, more+fmt.Sprintf("limits: [{scope: key/full, requests_per_minute: %d, burst: %d}]\n", 60*perSecond, burst))
		s := c.overload(t, time.Second/perSecond/10, lasts)
		idle := s.idle(burst * time.Second / perSecond / 2)
		most := burst + 1 + int(perSecond*s.took.Seconds())
		least := int(perSecond*(s.took-idle).Seconds()) - burst
		t.Logf("%d gateways: %d of %d calls in %s, from %d to %d are right (%s without an answer)",
			gateways, s.admitted, len(s.answered), s.took.Round(time.Millisecond), least, most, idle.Round(time.Millisecond))
		if s.admitted < least || s.admitted > most {
			t.Errorf("%d gateways: %d calls are admitted in %s, not from %d to %d", gateways, s.admitted, s.took, least, most)
		}
		if reached := len(c.mock.Calls()); reached != s.admitted {
			t.Errorf("%d gateways: %d calls are admitted and %d reach the provider", gateways, s.admitted, reached)
		}
	}
	f(1, "")
	f(3, fmt.Sprintf("storage: {redis: %q, redis_mode: deny}\n", storagetest.Redis(t)))
}

// follow is a client that waits as long as it is told to, and then is not refused again.
func follow(t *testing.T, name, url, body, settings string, refusals int) {
	t.Helper()
	client := &http.Client{Timeout: patience}
	again := 0
	for refused := 0; refused < refusals; {
		status, header, text := call(client, url, body, settings)
		if status == http.StatusOK {
			again = 0
			continue
		}
		if status != http.StatusTooManyRequests {
			t.Fatalf("%s: %d %s", name, status, text)
		}
		if refused++; again > 0 {
			t.Errorf("%s: refused again after the wait that was asked for: %v %s", name, header, text)
		}
		wait, err := strconv.ParseInt(header.Get("retry-after-ms"), 10, 64)
		seconds, err2 := strconv.ParseInt(header.Get("retry-after"), 10, 64)
		if err != nil || err2 != nil || wait <= 0 || wait > 1000*seconds || wait <= 1000*(seconds-1) || header.Get("x-should-retry") == "false" {
			t.Fatalf("%s: a refusal says %v", name, header)
		}
		again++
		<-time.After(time.Duration(wait) * time.Millisecond)
	}
}

func TestLimits_RateHeaders(t *testing.T) {
	t.Parallel()
	c := limited(t, 1, `limits:
  - {scope: key/full, models: ["mock/gpt"], requests_per_minute: 1200, burst: 3}
  - {scope: key/full, models: ["mock/claude"], tokens_per_minute: 120000, burst_tokens: 300}
  - {scope: key/full, models: ["mock/gemini"], requests_per_day: 2}
`)
	url := *c.at[0].Load()
	follow(t, "requests", url, simpleChat, "", 15)
	follow(t, "tokens", url, `{"model":"mock/claude","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`, "input=10;events=90", 15)

	// A client that counts down what is left is not refused before it is told so, and one that
	// waits for the reset finds all of the burst.
	client := &http.Client{Timeout: patience}
	for range 3 {
		_, header, _ := call(client, url, simpleChat, "")
		reset, err := time.ParseDuration(header.Get("x-ratelimit-reset-requests"))
		if err != nil {
			t.Fatalf("x-ratelimit-reset-requests: %v", header)
		}
		<-time.After(reset)
		for left := int64(2); left >= 0; left-- {
			status, header, text := call(client, url, simpleChat, "")
			said, err := strconv.ParseInt(header.Get("x-ratelimit-remaining-requests"), 10, 64)
			if status != http.StatusOK || err != nil || said < left || header.Get("x-ratelimit-limit-requests") != "1200" {
				t.Errorf("%d should be left: %d %v %s", left, status, header, text)
			}
		}
	}

	// What comes back tomorrow is not worth an SDK's retry.
	daily := `{"model":"mock/gemini","max_tokens":20,"messages":[{"role":"user","content":"hi"}]}`
	for range 2 {
		if status, _, text := call(client, url, daily, ""); status != http.StatusOK {
			t.Errorf("a day's requests: %d %s", status, text)
		}
	}
	status, header, text := call(client, url, daily, "")
	if status != http.StatusTooManyRequests || header.Get("x-should-retry") != "false" || header.Get("retry-after") == "" {
		t.Errorf("a day's requests are used: %d %v %s", status, header, text)
	}
}

// Calls under way at once stay within the limit; with a queue all of them are served in turn.
func TestLimits_Concurrent(t *testing.T) {
	const most, clients = 3, 12
	f := func(gateways int, more string, turn string) {
		t.Helper()
		c := limited(t, gateways, more+fmt.Sprintf("limits: [{scope: key/full, concurrent: %d}]\n", most))
		var served, refused atomic.Int64
		var work sync.WaitGroup
		for n := range clients {
			work.Go(func() {
				client := &http.Client{Timeout: patience}
				for range 5 {
					switch status, header, text := call(client, *c.at[n%gateways].Load(), simpleChat, "pause=20ms"); {
					case status == http.StatusOK:
						served.Add(1)
					case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable && header.Get("retry-after") != "":
						refused.Add(1)
					default:
						t.Errorf("%d %s", status, text)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { defer close(done); work.Wait() }()
		peak := 0
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-tick.C:
				peak = max(peak, c.mock.Open())
				continue
			case <-done:
				tick.Stop()
			}
			break
		}
		t.Logf("%d gateways, %s: at most %d of %d at once; %d served, %d refused", gateways, turn, peak, clients, served.Load(), refused.Load())
		// A slot is free when its call is settled, which the provider's own end of that call may
		// come after: each slot's next call may be seen beside the one before.
		if peak > 2*most || peak == 0 {
			t.Errorf("%d gateways, %s: %d calls at once, not %d", gateways, turn, peak, most)
		}
		if turn == "with a queue" && refused.Load() > 0 || turn == "without a queue" && refused.Load() == 0 {
			t.Errorf("%d gateways, %s: %d are refused", gateways, turn, refused.Load())
		}
	}
	f(1, "", "without a queue")
	f(1, "queue: {max_wait: 30s}\n", "with a queue")
	f(3, fmt.Sprintf("queue: {max_wait: 30s}\nstorage: {redis: %q, redis_mode: deny}\n", storagetest.Redis(t)), "in Redis")
}
