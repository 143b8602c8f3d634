package storage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

func boundsOf(t *testing.T, text string) *storage.Bounds {
	t.Helper()
	var b storage.Bounds
	if err := json.Unmarshal([]byte(text), &b, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &b
}

func TestBounds_Of(t *testing.T) {
	scope := storage.Scope{Kind: storage.ScopeKey, Name: "ci", Workspace: "team", KeyID: "abcd2345"}
	limits, budgets, err := boundsOf(t, `{"limits":[{"requests_per_minute":60,"burst":5}],"budgets":[{"usd":"0.5","per":"7d","hard":false},{"tokens":10,"per":"day"}]}`).Of(scope)
	if err != nil {
		t.Fatal(err)
	}
	if len(limits) != 1 || limits[0].Scope != scope || limits[0].RequestsPerMinute != 60 || limits[0].Burst != 5 {
		t.Errorf("limits are %+v", limits)
	}
	if b := budgets[0]; b.Nano != 5e8 || b.Per != storage.SpanRolling || b.Rolling != 7*24*time.Hour || !b.Advisory || len(b.Soft) != 3 || b.Unpriced != storage.GapDeny {
		t.Errorf("the first budget is %+v", b)
	}
	if b := budgets[1]; b.Tokens != 10 || b.Advisory || b.Per != storage.SpanDay {
		t.Errorf("the second budget is %+v", b)
	}
	for text, why := range map[string]string{
		`{"limits":[{"concurrent":1},{}]}`:                            "limits[1]: limit of team:key/ci: it limits nothing",
		`{"limits":[{"concurrent":-1}]}`:                              "limits[0]: limit of team:key/ci: concurrent is -1",
		`{"budgets":[{"usd":"x","per":"day"}]}`:                       "budgets[0]: usd",
		`{"budgets":[{"usd":"1","per":"year"}]}`:                      "budgets[0]: per",
		`{"budgets":[{"usd":"1","per":"day","time_zone":"Mars/Io"}]}`: "budgets[0]: time_zone",
		`{"budgets":[{"usd":"1","per":"day","time_zone":"Local"}]}`:   "budgets[0]: time_zone",
		`{"budgets":[{"usd":"1","tokens":1,"per":"day"}]}`:            "set usd or tokens",
	} {
		if _, _, err := boundsOf(t, text).Of(scope); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", text, err, why)
		}
	}
}

func TestBounds_Within(t *testing.T) {
	f := func(own, given, why string) {
		t.Helper()
		err := boundsOf(t, own).Within(boundsOf(t, given))
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%s within %s: %v, want %q", own, given, err, why)
		}
	}
	const rate = `{"limits":[{"requests_per_minute":60,"concurrent":5}]}`
	f(`{}`, `{}`, "")
	f(rate, `{}`, "")
	f(rate, rate, "")
	f(`{}`, rate, "limits: none is as strict as requests_per_minute 60, concurrent 5, of all models")
	f(`{"limits":[{"requests_per_minute":60}]}`, rate, "limits")
	f(`{"limits":[{"requests_per_minute":60},{"concurrent":5}]}`, rate, "limits")
	f(`{"limits":[{"requests_per_minute":59,"concurrent":1}]}`, rate, "")
	f(`{"limits":[{"requests_per_minute":61,"concurrent":5}]}`, rate, "limits")
	f(`{"limits":[{"requests_per_minute":60,"concurrent":5,"burst":61}]}`, rate, "limits")
	f(`{"limits":[{"requests_per_minute":60,"concurrent":5,"models":["mock/*"]}]}`, rate, "limits")
	f(rate, `{"limits":[{"requests_per_minute":60,"models":["mock/*"]}]}`, "")
	f(`{"limits":[{"tokens_per_minute":5,"count":"input"}]}`, `{"limits":[{"tokens_per_minute":5}]}`, "limits")
	f(`{"limits":[{"tokens_per_minute":5,"count":"all"}]}`, `{"limits":[{"tokens_per_minute":5}]}`, "")

	const month = `{"budgets":[{"usd":"5","per":"month"}]}`
	f(month, month, "")
	f(`{}`, month, "budgets: none is as strict as usd 5 per month, of all models")
	f(`{"budgets":[{"usd":"4.999","per":"month"},{"usd":"9","per":"month","models":["mock/*"]}]}`, month, "")
	f(`{"budgets":[{"usd":"5.000000001","per":"month"}]}`, month, "budgets")
	f(`{"budgets":[{"usd":"5","per":"week"}]}`, month, "budgets")
	f(`{"budgets":[{"tokens":5,"per":"month"}]}`, month, "budgets")
	f(`{"budgets":[{"usd":"5","per":"month","hard":false}]}`, month, "budgets")
	f(`{"budgets":[{"usd":"5","per":"month","unpriced":"allow"}]}`, month, "budgets")
	f(`{"budgets":[{"usd":"5","per":"month","unbounded":"cap"}]}`, month, "budgets")
	f(`{"budgets":[{"usd":"5","per":"month","unbounded":"cap"}]}`, `{"budgets":[{"usd":"5","per":"month","unbounded":"allow"}]}`, "")
	f(month, `{"budgets":[{"usd":"5","per":"month","hard":false}]}`, "")
	f(`{"budgets":[{"usd":"1","per":"24h"}]}`, `{"budgets":[{"usd":"1","per":"1d"}]}`, "")
}
