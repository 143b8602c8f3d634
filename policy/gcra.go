package policy

import (
	"math"
	"time"
)

// forever bounds times and spans in nanoseconds, far below an overflow.
const forever = math.MaxInt64 / 4

// rate is the state of one GCRA in integer nanoseconds: the theoretical arrival time, at which
// all of its burst could be taken again.
type rate struct {
	timed
	name string
	tat  int64
	busy int64 // when it last began to hold something
	gone bool  // dropped from the meter
}

// span is how long so many units last.
func span(interval time.Duration, units int64) int64 {
	i := int64(interval)
	if i <= 0 || units == 0 {
		return 0
	}
	if units > forever/i {
		return forever
	}
	if units < -forever/i {
		return -forever
	}
	return i * units
}

// wait is how long until the ask fits; ok is false where it never does.
func (r *rate) wait(a *RateAsk, now int64) (wait int64, ok bool) {
	if a.Cost > a.Burst {
		return 0, false
	}
	return max(0, r.after(a, now)-now-span(a.Interval, a.Burst)), true
}

func (r *rate) after(a *RateAsk, now int64) int64 {
	return min(max(r.tat, now)+span(a.Interval, max(0, a.Cost)), now+forever)
}

func (r *rate) take(a *RateAsk, now int64) {
	if r.tat <= now {
		r.busy = now
	}
	r.tat = r.after(a, now)
}

// correct charges so many units more, or less. What has been worked off since it was taken is
// not given back: where the rate stood idle in between, taking less would not have left more.
func (r *rate) correct(interval time.Duration, units, taken, now int64) {
	if units < 0 && taken < r.busy {
		return
	}
	if units > 0 && r.tat <= now {
		r.busy = now
	}
	if units > 0 {
		r.tat = max(r.tat, now)
	}
	r.tat = min(r.tat+span(interval, units), now+forever)
}

func (r *rate) state(a *RateAsk, now int64) RateState {
	filled := max(0, r.tat-now)
	s := RateState{Remaining: a.Burst, Reset: time.Duration(filled)}
	if a.Interval > 0 {
		s.Remaining = max(0, (span(a.Interval, a.Burst)-filled)/int64(a.Interval))
	}
	return s
}

// expire drops a rate that says nothing any more.
func (r *rate) expire(m *Meter, now int64) {
	if r.tat > now {
		m.wheel.put(&r.timed, max(r.tat, now+idle))
		return
	}
	r.gone = true
	delete(m.rates, r.name)
}
