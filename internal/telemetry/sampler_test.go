package telemetry

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const (
	theirTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirSpan  = "00f067aa0ba902b7"
)

func TestReadParent(t *testing.T) {
	f := func(header, want string) {
		t.Helper()
		got := "none"
		if id, span, sampled, ok := readParent([]byte(header)); ok {
			got = fmt.Sprint(id, " ", span, " ", sampled)
		}
		if got != want {
			t.Errorf("%q is %s, want %s", header, got, want)
		}
	}
	plain := "00-" + theirTrace + "-" + theirSpan
	f(plain+"-01", theirTrace+" "+theirSpan+" true")
	f(plain+"-00", theirTrace+" "+theirSpan+" false")
	f(plain+"-fe", theirTrace+" "+theirSpan+" false")
	f("cc"+plain[2:]+"-01-later", theirTrace+" "+theirSpan+" true")
	f("cc"+plain[2:]+"-01", theirTrace+" "+theirSpan+" true")
	for _, wrong := range []string{
		"", "00", plain, plain + "-0", plain + "-01-more", plain + "-01 ", plain + "-1", plain + "-0g", "ff" + plain[2:] + "-01", "cc" + plain[2:] + "-01more",
		"00-" + strings.Repeat("0", 32) + "-" + theirSpan + "-01", "00-" + theirTrace + "-" + strings.Repeat("0", 16) + "-01",
		"00-" + strings.ToUpper(theirTrace) + "-" + theirSpan + "-01", strings.ReplaceAll(plain, "-", "_") + "_01", " " + plain + "-01", strings.Repeat("0", 1<<16),
	} {
		f(wrong, "none")
	}
}

func FuzzReadParent(f *testing.F) {
	f.Add([]byte("00-" + theirTrace + "-" + theirSpan + "-01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, span, sampled, ok := readParent(b)
		if !ok {
			return
		}
		trace := storage.Trace{ID: id, Sampled: sampled}
		if got := trace.Header(span); got[2:53] != string(b[2:53]) {
			t.Errorf("%q is passed on as %q", b, got)
		}
	})
}

func sampler(s Sampling) *Tracer { return &Tracer{sampling: s, below: uint64(s.Ratio * (1 << 63))} }

func TestTracer_Begin(t *testing.T) {
	sampled, not := []byte("00-"+theirTrace+"-"+theirSpan+"-01"), []byte("00-"+theirTrace+"-"+theirSpan+"-00")
	f := func(rule ParentRule, ratio float64, parent []byte, joins, records bool) {
		t.Helper()
		at := sampler(Sampling{Ratio: ratio, Parent: rule}).Begin(parent, []byte("vendor=1"))
		joined := at.ID.String() == theirTrace && at.Parent.String() == theirSpan && at.State == "vendor=1"
		if !at.On() || at.Span == (storage.SpanID{}) || joined != joins || at.Sampled != records || !joined && (at.Parent != storage.SpanID{} || at.State != "") {
			t.Errorf("by %s at %v, %q gives %+v, want joined %v and sampled %v", rule, ratio, parent, at, joins, records)
		}
	}
	f(ParentTrust, 0, sampled, true, true)
	f(ParentTrust, 1, not, true, false)
	f(ParentRatio, 0, sampled, true, false)
	f(ParentRatio, 1, not, true, true)
	f(ParentIgnore, 0, sampled, false, false)
	f(ParentIgnore, 1, not, false, true)
	f(ParentTrust, 1, nil, false, true)
	f(ParentTrust, 0, []byte("garbage"), false, false)
	for _, state := range []string{strings.Repeat("a", maxState+1), "a=b\r\nx: y", "a=\x00", "a=é"} {
		if at := sampler(Sampling{Parent: ParentTrust}).Begin(sampled, []byte(state)); at.State != "" || at.ID.String() != theirTrace {
			t.Errorf("a state of %.20q is taken over: %+v", state, at)
		}
	}
}

func TestTracer_BeginByRatio(t *testing.T) {
	s := sampler(Sampling{Ratio: 0.25, Parent: ParentTrust})
	const n = 20000
	chosen, ids := 0, map[storage.TraceID]bool{}
	for range n {
		at := s.Begin(nil, nil)
		ids[at.ID] = true
		if at.Sampled {
			chosen++
		}
	}
	if chosen < n/5 || chosen > n*3/10 || len(ids) != n { // 12 standard deviations
		t.Errorf("%d of %d are sampled, and %d ids differ", chosen, n, len(ids))
	}
}

func TestTracer_Wants(t *testing.T) {
	ended := func(change func(*storage.Record)) *storage.Record {
		r := sample()
		r.Trace.Sampled = false
		change(r)
		return r
	}
	f := func(s Sampling, r *storage.Record, want bool) {
		t.Helper()
		if got := sampler(s).wants(r); got != want {
			t.Errorf("%+v of %+v with %s: %v", s, r.Trace, r.Outcome, got)
		}
	}
	plain := ended(func(*storage.Record) {})
	f(Sampling{Errors: true, Slow: int64(time.Second)}, plain, false)
	f(Sampling{Slow: int64(950 * time.Millisecond)}, plain, true)
	f(Sampling{}, ended(func(r *storage.Record) { r.Trace.Sampled = true }), true)
	bad := ended(func(r *storage.Record) { r.Outcome = storage.OutcomeTimeout })
	f(Sampling{Errors: true}, bad, true)
	f(Sampling{}, bad, false)
	f(Sampling{Errors: true}, ended(func(r *storage.Record) { r.Outcome, r.Status = storage.OutcomeRefused, 429 }), false)
	f(Sampling{Errors: true}, ended(func(r *storage.Record) { r.Outcome, r.Status = storage.OutcomeRefused, 503 }), true)
	f(Sampling{Errors: true, Ratio: 1}, ended(func(r *storage.Record) { r.Trace, r.Outcome = storage.Trace{}, storage.OutcomePanic }), false)
	// A stranger's word makes nobody record.
	forced := func(r *storage.Record) { r.Trace.Sampled, r.Trace.Forced = true, true }
	f(Sampling{}, ended(forced), true)
	stranger := ended(func(r *storage.Record) { forced(r); r.KeyID = "" })
	f(Sampling{}, stranger, false)
	f(Sampling{Ratio: 1}, stranger, true)
}
