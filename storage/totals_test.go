package storage

import (
	"math"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
)

func TestMeasureNames(t *testing.T) {
	seen := make(map[string]bool)
	for m := range Measures {
		name := Measure(m).String()
		if name == "" || seen[name] {
			t.Errorf("measure %d is named %q", m, name)
		}
		seen[name] = true
	}
	f := func(m Measure, want string) {
		t.Helper()
		if got := m.String(); got != want {
			t.Errorf("measure %d is %q, want %q", m, got, want)
		}
	}
	f(Requests, "requests")
	f(DurationMicros, "duration_us")
	f(FirstLatency, "latency_00")
	f(FirstLatency+LatencyBuckets-1, "latency_31")
	f(FirstToken, "first_token_00")
	f(Measure(Measures-1), "first_token_31")
}

func TestTotalsOf(t *testing.T) {
	e := Entry{
		Final: true, Outcome: OutcomeTimeout, Duration: 3 * time.Millisecond,
		Lines: []providers.Normal{
			{InputUncached: 1, CacheRead: 10, CacheWrite5m: 100, CacheWrite1h: 1000, Output: 7, Reasoning: 5},
			{InputUncached: 10_000, Output: 70, AudioIn: 2, AudioOut: 3, Images: 4, Searches: 6, Characters: 8, AudioInMs: 9, AudioOutMs: 11},
		},
		Charge: Charge{CostNano: 42, Estimated: true},
	}
	want := Totals{
		Requests: 1, Errors: 1, Attempts: 1, Estimated: 1, InputTokens: 11_111, CacheReadTokens: 10, CacheWriteTokens: 1100,
		OutputTokens: 77, ReasoningTokens: 5, AudioInTokens: 2, AudioOutTokens: 3, Images: 4, Searches: 6,
		Characters: 8, AudioInMs: 9, AudioOutMs: 11,
		CostNano: 42, DurationMicros: 3000, FirstLatency + 1: 1, // 2 to 3 ms
	}
	if got := TotalsOf(&e); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	e.Final, e.Unpriced, e.Charge.Estimated, e.Lines = false, "no price", false, nil
	if got, want := TotalsOf(&e), (Totals{Attempts: 1, Unpriced: 1}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Sums must not overflow, whatever an upstream says.
func TestTotalsOfNonsense(t *testing.T) {
	e := Entry{Charge: Charge{CostNano: math.MaxInt64}, Lines: []providers.Normal{{InputUncached: math.MaxInt64, Output: math.MinInt64}}}
	got := TotalsOf(&e)
	if got[CostNano] != most || got[InputTokens] != most || got[OutputTokens] != -most {
		t.Errorf("got %v", got)
	}
}

func TestLatency(t *testing.T) {
	var none Totals
	if got := none.Latency(0.5); got != 0 {
		t.Errorf("of nothing %v", got)
	}
	f := func(q float64, want time.Duration, durations ...time.Duration) {
		t.Helper()
		var sum Totals
		for _, d := range durations {
			one := TotalsOf(&Entry{Final: true, Duration: d})
			sum.Add(&one)
		}
		if got := sum.Latency(q).Round(time.Microsecond); got != want {
			t.Errorf("q %v of %v is %v, want %v", q, durations, got, want)
		}
	}
	ms := time.Millisecond
	f(0.5, 1*ms, 1*ms)          // the middle of 0 to 2 ms
	f(1, 2*ms, 1*ms, 2*ms)      // the end of the first bucket belongs to it
	f(1, 3*ms, 1*ms, 2*ms+1000) // the second ends at 3 ms
	f(0.75, 2500*time.Microsecond, 1*ms, 3*ms)
	f(0, 0, 1*ms)
	if got := (&Totals{FirstLatency + LatencyBuckets - 1: 1}).Latency(1); got < 500*time.Second {
		t.Errorf("the longest bucket ends at %v", got)
	}
}
