package main

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func TestRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := d.now.Add(-time.Hour)
	id := idAt(at, 1)
	d.spent(storage.Entry{
		RequestID: id, Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true, Time: at, Asked: "fast", Op: "chat",
		Series:  storage.Series{Workspace: "default", Key: "abcd2345", KeyName: "ci", Provider: "two", Model: "gpt"},
		Outcome: storage.OutcomeOK, Status: 200, UpstreamStatus: 200, Charge: storage.Charge{CostNano: 2_000_000, PriceID: "two/gpt@1"},
		Holds: []storage.Hold{{Counter: "budget:{default}key/ci:usd:day:", Unit: storage.UnitNano, Limit: 9, Held: 5, Spent: 2}},
		Plan:  []storage.Candidate{{Provider: "one", Model: "gpt", Fate: storage.FateBreaker}, {Provider: "two", Model: "gpt", Fate: storage.FateServed}},
	})
	if list := d.must("request", "list", "--key", "ci"); !strings.Contains(list, id.String()) || !strings.Contains(list, "two/gpt") {
		t.Errorf("the list says\n%s", list)
	}
	if list := d.must("request", "list", "--status", "5", "--json"); list != "[]\n" {
		t.Errorf("the list says\n%s", list)
	}
	shown := d.must("request", "show", id.String())
	for _, want := range []string{"breaker_open", "its circuit breaker is open", "two/gpt@1", "budget:{default}key/ci:usd:day:", "0.002 USD"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in\n%s", want, shown)
		}
	}
	d.refuses(1, "not found", "request", "show", "0198c2a4-7d1e-7b3c-9a55-0123456789ab")
	d.refuses(1, "not found", "request", "show", id.String(), "--workspace", "other")
	d.refuses(2, "usage", "request", "show")
}
