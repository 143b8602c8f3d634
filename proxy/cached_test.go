package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// cachedGateway has keys that keep answers: 0 and 1 of one project, 2 of another, 3 that does not.
type cachedGateway struct {
	*testGateway
	journal *pages
	up      *stage
}

// numbered answers each call with its number, so that it shows which one an answer is of.
func numbered(s **stage, end string) act {
	return func(w http.ResponseWriter, r *http.Request, body string) {
		id := fmt.Sprintf(`"id":"c%d"`, (*s).calls.Load())
		if !strings.Contains(body, `"stream":true`) {
			w.Header().Set("content-type", "application/json")
			_, _ = io.WriteString(w, strings.Replace(wholeReply, `"id":"c"`, id, 1))
			return
		}
		w.Header().Set("content-type", "text/event-stream")
		_, _ = io.WriteString(w, strings.ReplaceAll(eventRole+eventHi+end, `"id":"c"`, id))
		if end == "" {
			w.(http.Flusher).Flush()
			cuts(w, r, body)
		}
	}
}

func newCachedGateway(t *testing.T, end string) *cachedGateway {
	t.Helper()
	g := &cachedGateway{journal: &pages{}}
	g.up = newStage(t, numbered(&g.up, end), well)
	g.testGateway = newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{g.up.account(t, "one", "c")}, func(o *Options, s *Snapshot) {
		o.Replies, o.Journal, o.Limits.MaxCached = NewMemoryReplies(1<<20), g.journal, 4096
		for i := range 3 {
			key, err := s.Keys.Find([]byte(keyNumber(i)), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if key.Cache = time.Hour; i == 2 {
				key.Project = "other"
			}
		}
	})
	return g
}

func TestCache(t *testing.T) {
	const end = eventStop + eventUsage + eventDone
	g := newCachedGateway(t, end)
	// of is the number of the call that the answer is of, want what the header says.
	f := func(key int, body string, of int, want string, headers ...string) {
		t.Helper()
		status, h, text := g.as(t, key, body, headers...)
		if got := h.Get("x-aistrale-cache"); status != 200 || got != want || !strings.Contains(text, fmt.Sprintf(`"id":"c%d"`, of)) {
			t.Errorf("key %d, %s %q: status %d, %q, want %q of call %d: %s", key, body, headers, status, got, want, of, text)
		}
		if strings.Contains(body, `"stream":true`) && (!strings.HasSuffix(text, eventDone) || !strings.HasPrefix(h.Get("content-type"), "text/event-stream")) {
			t.Errorf("no stream: %q", text)
		}
		hit := want == "hit"
		if got := h.Get("x-aistrale-cost-usd"); hit && (got != "0.00" || h.Get("x-aistrale-attempts") != "0" || h.Get("age") == "") {
			t.Errorf("a hit costs %s, %v", got, h)
		}
		if rec := g.records.next(t); hit != (rec.Outcome == storage.OutcomeCached) || rec.Provider != "one" || rec.Served != "m" || rec.Status != 200 {
			t.Errorf("record %+v", rec)
		}
		if entries := states(g.journal.take()); hit && entries != "S1" || !hit && entries == "S1" {
			t.Errorf("key %d, %s: the journal has %q", key, body, entries)
		}
	}
	f(0, itWhole, 1, "miss")
	f(0, itWhole, 1, "hit")
	f(1, itWhole, 1, "hit") // the project's
	f(2, itWhole, 2, "miss")
	f(2, itWhole, 2, "hit")
	f(3, itWhole, 3, "")
	f(0, itWhole+" ", 4, "miss") // the bytes that go upstream are others
	f(0, strings.Replace(itWhole, "hi", "ho", 1), 5, "miss")
	f(0, itStream, 6, "miss")
	f(1, itStream, 6, "hit")
	withUsage := strings.Replace(itStream, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
	f(0, withUsage, 7, "miss")

	f(0, itWhole, 8, "miss", "cache-control", "no-cache")
	f(0, itWhole, 8, "hit") // and kept
	f(0, itWhole, 9, "miss", "cache-control", "private, No-Store")
	f(0, itWhole, 8, "hit")
	f(0, itWhole, 10, "miss", "cache-control", "max-age=0")
	f(0, itWhole, 10, "hit", "cache-control", "max-age=60")

	// What the answer depends on may have changed.
	f(0, strings.Replace(itWhole, `{`, `{"preset":"r",`, 1), 11, "")
	f(0, strings.Replace(itWhole, `{`, `{"web_search_options":{},`, 1), 12, "")
	long := strings.Replace(itWhole, "hi", strings.Repeat("hi", 100), 1)
	f(0, long, 13, "miss")
	f(0, long, 13, "hit")
}

// What the upstream sees of the client's headers tells calls apart, all lines of a name too.
func TestCache_headers(t *testing.T) {
	var up *stage
	up = newStage(t, numbered(&up, ""), well)
	account := up.account(t, "one", "c")
	account.Forward, account.ForwardExact = []string{"x-beta"}, []string{"x-version"}
	g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m"), Cache: time.Hour}, []*Account{account}, func(o *Options, _ *Snapshot) {
		o.Replies, o.Limits.MaxCached = NewMemoryReplies(1<<20), 4096
	})
	f := func(second, version, want string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/v1/chat/completions", strings.NewReader(itWhole))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + keyNumber(0)}, "X-Beta": {"a", second}, "X-Version": {version}}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("x-aistrale-cache"); got != want {
			t.Errorf("a, %s of %s: %d %q, want %q", second, version, resp.StatusCode, got, want)
		}
	}
	f("b", "1", "miss")
	f("c", "1", "miss")
	f("b", "2", "miss")
	f("b", "1", "hit")
}

func TestCache_keepsNoBrokenStream(t *testing.T) {
	g := newCachedGateway(t, "")
	for range 2 {
		if _, h, text := g.as(t, 0, itStream); h.Get("x-aistrale-cache") != "miss" || strings.Contains(text, "[DONE]") {
			t.Errorf("%v: %s", h, text)
		}
	}
}

func TestCache_keepsNoLongAnswer(t *testing.T) {
	g := newCachedGateway(t, strings.Repeat(eventHi, 50)+eventStop+eventDone)
	for range 2 {
		if _, h, _ := g.as(t, 0, itStream); h.Get("x-aistrale-cache") != "miss" {
			t.Errorf("%v", h)
		}
	}
}

func TestMemoryReplies(t *testing.T) {
	const size = replyOverhead + 100
	m := NewMemoryReplies(3 * size)
	key := func(i byte) *storage.ReplyKey { return &storage.ReplyKey{Place: [32]byte{i}} }
	has := func(want ...byte) {
		t.Helper()
		for i := byte(0); i < 6; i++ {
			_, ok := m.Find(t.Context(), key(i))
			if ok != strings.Contains(string(want), string([]byte{i})) {
				t.Errorf("%d is there: %v", i, ok)
			}
		}
	}
	keep := func(i byte, n int, ttl time.Duration) {
		m.Keep(key(i), storage.Reply{Body: make([]byte, n)}, ttl)
	}
	for i := range byte(3) {
		keep(i, 100, time.Hour)
	}
	has(0, 1, 2)
	if _, ok := m.Find(t.Context(), key(0)); !ok {
		t.Error("0 is gone")
	}
	keep(3, 100, time.Hour)
	has(0, 2, 3)
	keep(3, 50, time.Hour) // in place of itself
	has(0, 2, 3)
	keep(4, 100, -time.Second)
	has(2, 3)
	keep(5, 10*size, time.Hour) // more than there is room for
	has()
	if m.left != 3*size || len(m.byKey) != 0 || m.order.Len() != 0 {
		t.Errorf("%d bytes are left, %d replies", m.left, len(m.byKey))
	}
}
