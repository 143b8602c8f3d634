package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// allKeys changes the keys of a staged gateway.
func allKeys(t *testing.T, change func(*storage.Key)) setting {
	return func(_ *Options, s *Snapshot) {
		var keys []storage.Key
		for i := range 10 {
			key, err := storage.KeyOf(fmt.Sprint("test", i), keyNumber(i))
			if err != nil {
				t.Fatal(err)
			}
			change(&key)
			keys = append(keys, key)
		}
		s.Keys = policy.NewKeyring(keys)
	}
}

// What a key bounds ends its calls, and says nothing against the place: the key's impatience is
// not an upstream's failure.
func TestKeyTimeouts(t *testing.T) {
	f := func(how act, body string, own storage.KeyTimeouts) {
		t.Helper()
		only := newStage(t, how, well)
		g := newStagedGateway(t, &policy.Alias{Targets: targetsOf("one/m")}, []*Account{only.account(t, "one", "")}, allKeys(t, func(k *storage.Key) { k.Timeouts = own }))
		for i := range testBreaker.Failures + 3 {
			status, _, text := g.as(t, i%3, body) // one key's failures alone would not count
			if broken := status == 200 && strings.Contains(text, eventHi); status != 504 && !broken || !strings.Contains(text, "upstream_timeout") {
				t.Errorf("%+v: status %d: %s", own, status, text)
			}
			if rec := g.records.next(t); rec.Outcome != storage.OutcomeTimeout {
				t.Errorf("%+v: outcome %s, %s", own, rec.Outcome, rec.Err)
			}
		}
		if list := g.options.Health.Ailing(time.Now()); len(list) > 0 {
			t.Errorf("%+v: %+v", own, list)
		}
	}
	const short = 50 * time.Millisecond
	f(hangs, itWhole, storage.KeyTimeouts{FirstByte: short})
	f(hangs, itWhole, storage.KeyTimeouts{Total: short})
	f(begins(eventRole+eventHi, hangs), itStream, storage.KeyTimeouts{StreamIdle: short})
	f(begins(eventRole+eventHi, hangs), itStream, storage.KeyTimeouts{Total: short})
}

func TestShorter(t *testing.T) {
	f := func(a, b, want time.Duration) {
		t.Helper()
		if got := shorter(a, b); got != want {
			t.Errorf("shorter(%d, %d) = %d", a, b, got)
		}
	}
	f(0, 0, 0)
	f(0, 2, 2)
	f(2, 0, 2)
	f(1, 2, 1)
	f(2, 1, 1)
}
