package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

func holder(kind storage.ScopeKind) policy.Holder {
	if kind == storage.ScopeAll {
		return policy.Holder{Kind: kind}
	}
	return policy.Holder{Kind: kind, Workspace: "secretspace", Name: "other-tenant"}
}

func TestRefusalWords(t *testing.T) {
	f := func(a policy.Ask, v policy.Verdict, body string, noRetry bool, after time.Duration) {
		t.Helper()
		out := v.Fault(&a, "fast")
		status, got := openai.Face{}.Refuse(out)
		if status != 429 || string(got) != body {
			t.Errorf("%d %s\n  want %s", status, got, body)
		}
		if out.NoRetry != noRetry || out.RetryAfter != after {
			t.Errorf("retry %v after %s; want %v after %s", !out.NoRetry, out.RetryAfter, !noRetry, after)
		}
		if strings.Contains(out.Message, "tenant") || strings.Contains(out.Message, "secretspace") {
			t.Errorf("the client is told of another: %s", out.Message)
		}
		if out.Cause == nil || !strings.Contains(out.Cause.Error(), "counter-7") {
			t.Errorf("the operator is not told the counter: %v", out.Cause)
		}
	}
	rate := func(kind storage.ScopeKind, counts policy.Counted, per time.Duration, cost int64) policy.Ask {
		rule := &policy.RateRule{Holder: holder(kind), Counts: counts, Limit: 3, Per: per}
		return policy.Ask{Rates: []policy.RateAsk{{Counter: "counter-7", Burst: 3, Cost: cost, Of: rule}}}
	}
	refused := func(kind policy.AskKind, wait time.Duration) policy.Verdict {
		return policy.Verdict{Refused: policy.Refused{Kind: kind, Wait: wait}, Rates: []policy.RateState{{}}}
	}
	said := func(message, kind, code string) string {
		return `{"error":{"message":"` + message + `","type":"` + kind + `","param":null,"code":"` + code + `"}}`
	}
	f(rate("key", policy.CountedRequests, time.Minute, 1), refused(policy.AskRate, 20*time.Second),
		said("Rate limit reached for `fast` of this key on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.", "requests", "rate_limit_exceeded"), false, 20*time.Second)
	f(rate("project", policy.CountedRequests, 24*time.Hour, 1), refused(policy.AskRate, 6*time.Hour),
		said("Rate limit reached for `fast` of this project on requests per day (RPD): Limit 3, Used 3, Requested 1. Please try again in 6h0m0s.", "requests", "rate_limit_exceeded"), true, 6*time.Hour)
	f(rate("user", policy.CountedTokens, time.Minute, 2), refused(policy.AskRate, 20*time.Millisecond+1),
		said("Rate limit reached for `fast` of this user on tokens per min (TPM): Limit 3, Used 3, Requested 2. Please try again in 21ms.", "tokens", "rate_limit_exceeded"), false, 20*time.Millisecond+1)
	f(rate("all", policy.CountedInput, time.Minute, 2), refused(policy.AskRate, time.Second),
		said("Rate limit reached for `fast` on input tokens per min (TPM): Limit 3, Requested 2. Please try again in 1s.", "tokens", "rate_limit_exceeded"), false, time.Second)
	f(rate("workspace", policy.CountedOutput, time.Minute, 9), refused(policy.AskRate, 0),
		said("Request too large for `fast` of this workspace on output tokens per min (TPM): Limit 3, Requested 9. The input or output tokens must be reduced in order to run successfully.", "tokens", "rate_limit_exceeded"), true, 0)
	slots := policy.Ask{Slots: []policy.SlotAsk{{Counter: "counter-7", Limit: 50, Of: &policy.SlotRule{Holder: holder("key"), Limit: 50}}}}
	f(slots, refused(policy.AskSlot, time.Second),
		said("Rate limit reached for `fast` of this key on concurrent requests: Limit 50. Please try again in 1s.", "requests", "rate_limit_exceeded"), false, time.Second)

	budget := func(kind storage.ScopeKind, per storage.BudgetSpan, counts policy.Counted) policy.Ask {
		rule := &policy.BudgetRule{Holder: holder(kind), Counts: counts, Budget: &storage.Budget{Per: per, Rolling: 24 * time.Hour}}
		return policy.Ask{Budgets: []policy.BudgetAsk{{Counter: "counter-7", Limit: 25e9, Fixed: 1e6, Of: rule}}}
	}
	quota := func(rest string) string {
		return said("You exceeded your current quota: the budget"+rest, "insufficient_quota", "insufficient_quota")
	}
	f(budget("key", "month", policy.CountedNano), refused(policy.AskBudget, 100*time.Hour),
		quota(" of 25 USD per month of this key does not pay for this request to `fast`. Please try again in 100h0m0s."), true, 100*time.Hour)
	f(budget("project", "day", policy.CountedTokens), refused(policy.AskBudget, 50*time.Second),
		quota(" of 25000000000 tokens per day of this project does not pay for this request to `fast`. Please try again in 50s."), false, 50*time.Second)
	f(budget("key", "rolling", policy.CountedNano), refused(policy.AskBudget, time.Hour),
		quota(" of 25 USD in 24h of this key does not pay for this request to `fast`. Please try again in 1h0m0s."), true, time.Hour)
	f(budget("all", "total", policy.CountedNano), refused(policy.AskBudget, 0),
		quota(" does not pay for this request to `fast`."), true, 0)
	held := refused(policy.AskBudget, time.Hour)
	held.Refused.Held = true
	f(budget("key", "month", policy.CountedNano), held,
		said("What is left of the budget of this key is reserved by requests under way, so `fast` cannot be called now. Please try again in 1s.", "requests", "rate_limit_exceeded"), false, time.Second)
}

// A refusal moves on to the next target where that one may fit.
func TestRefusalMovesOn(t *testing.T) {
	f := func(a policy.Ask, kind policy.AskKind, want bool) {
		t.Helper()
		v := policy.Verdict{Refused: policy.Refused{Kind: kind, Wait: time.Second}}
		if out := v.Fault(&a, "m"); out.Retryable != want {
			t.Errorf("retryable %v: %v", out.Retryable, out)
		}
	}
	narrow := []string{"groq/*"}
	f(policy.Ask{Rates: []policy.RateAsk{{Of: &policy.RateRule{}}}}, policy.AskRate, false)
	f(policy.Ask{Rates: []policy.RateAsk{{Of: &policy.RateRule{Models: narrow}}}}, policy.AskRate, true)
	f(policy.Ask{Slots: []policy.SlotAsk{{Of: &policy.SlotRule{}}}}, policy.AskSlot, false)
	f(policy.Ask{Slots: []policy.SlotAsk{{Of: &policy.SlotRule{Models: narrow}}}}, policy.AskSlot, true)
	f(policy.Ask{Budgets: []policy.BudgetAsk{{}}}, policy.AskBudget, true)
	f(policy.Ask{Rates: []policy.RateAsk{{}}}, policy.AskRate, false)
	f(policy.Ask{Slots: []policy.SlotAsk{{}}}, policy.AskSlot, false)
	if out := (&policy.Verdict{}).Fault(&policy.Ask{}, "m"); out.Kind != providers.FaultInternal {
		t.Errorf("%v", out)
	}
}

func TestShown(t *testing.T) {
	rule := func(kind storage.ScopeKind, counts policy.Counted, limit int64) *policy.RateRule {
		return &policy.RateRule{Holder: holder(kind), Counts: counts, Limit: limit}
	}
	a := policy.Ask{Rates: []policy.RateAsk{
		{Of: rule("key", policy.CountedRequests, 100)}, {Of: rule("project", policy.CountedRequests, 1000)},
		{Of: rule("all", policy.CountedRequests, 10)}, {Of: rule("key", policy.CountedTokens, 5000)}, {},
	}}
	v := policy.Verdict{Rates: []policy.RateState{{50, time.Second}, {400, time.Minute}, {0, 0}, {9000, 20 * time.Millisecond}, {}}}
	requests, tokens, hasRequests, hasTokens := v.Shown(&a)
	if want := (policy.RateShown{Limit: 1000, Remaining: 400, Reset: time.Minute}); !hasRequests || requests != want {
		t.Errorf("requests %+v, want %+v", requests, want)
	}
	if want := (policy.RateShown{Limit: 5000, Remaining: 5000, Reset: 20 * time.Millisecond}); !hasTokens || tokens != want {
		t.Errorf("tokens %+v, want %+v", tokens, want)
	}
	if _, _, r, k := (&policy.Verdict{}).Shown(&policy.Ask{}); r || k {
		t.Error("headers without a rate")
	}
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := string(policy.RateShown{Reset: d}.AppendReset(nil)); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
	f(0, "0s")
	f(20*time.Millisecond, "20ms")
	f(time.Second, "1s")
	f(8640*time.Millisecond, "8.64s")
	f(6*time.Minute, "6m0s")
	f(72*time.Second+1, "1m13s")
	f(1, "1ms")
}

func TestVerdict_Note(t *testing.T) {
	tokens := &policy.RateRule{Counts: policy.CountedTokens}
	a := policy.Ask{Rates: []policy.RateAsk{{}, {Of: tokens}}, Slots: []policy.SlotAsk{{}}, Budgets: []policy.BudgetAsk{{}}}
	f := func(v policy.Verdict, admitted, refused string) {
		t.Helper()
		var n storage.LimitNote
		v.Note(&a, &n)
		if limitNames(n.Admitted) != admitted || limitNames(n.Refused) != refused || n.Degraded != v.Degraded {
			t.Errorf("admitted %s, refused %s, want %s and %s", limitNames(n.Admitted), limitNames(n.Refused), admitted, refused)
		}
	}
	f(policy.Verdict{Grant: &policy.Grant{}, Degraded: true}, "requests tokens concurrency budget ", "")
	f(policy.Verdict{Refused: policy.Refused{Kind: policy.AskRate, Index: 1}}, "", "tokens ")
	f(policy.Verdict{Refused: policy.Refused{Kind: policy.AskRate}}, "", "requests ")
	f(policy.Verdict{Refused: policy.Refused{Kind: policy.AskSlot}}, "", "concurrency ")
	f(policy.Verdict{Refused: policy.Refused{Kind: policy.AskBudget}}, "", "budget ")
}

func limitNames(s storage.LimitSet) (all string) {
	for k := range storage.LimitKinds {
		if s.Has(k) {
			all += k.String() + " "
		}
	}
	return all
}
