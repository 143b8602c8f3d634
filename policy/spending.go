package policy

import (
	"math"
	"math/bits"
	"time"
)

const million = 1_000_000

// budget is the state of one budget in one window.
type budget struct {
	timed
	name            string
	spent, reserved int64
	rolling         *rolling // nil for calendar windows and for those without an end
	end             int64    // of a calendar window, in nanoseconds of the meter's clock
	raised          []raised
	held            int // open leases
}

// raised is a share whose threshold has been told of.
type raised struct {
	share int
	at    int64
}

// reserve is what a grant of so many tokens of output holds.
func (a *BudgetAsk) reserve(output int64) int64 {
	high, low := bits.Mul64(uint64(max(0, output)), uint64(max(0, a.PerMillion)))
	low, carry := bits.Add64(low, million-1, 0)
	high += carry
	if high >= million {
		return math.MaxInt64
	}
	cost, _ := bits.Div64(high, low, million)
	return plus(max(0, a.Fixed), int64(min(cost, math.MaxInt64)))
}

// affords is the most tokens of output that an amount pays for, -1 where it does not even pay
// for the fixed part.
func (a *BudgetAsk) affords(amount int64) int64 {
	left := minus(amount, max(0, a.Fixed))
	if left < 0 {
		return -1
	}
	if a.PerMillion <= 0 {
		return math.MaxInt64
	}
	high, low := bits.Mul64(uint64(left), million)
	if high >= uint64(a.PerMillion) {
		return math.MaxInt64
	}
	tokens, _ := bits.Div64(high, low, uint64(a.PerMillion))
	return int64(min(tokens, math.MaxInt64))
}

// plus adds without an overflow.
func plus(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

func minus(a, b int64) int64 {
	if b == math.MinInt64 {
		return plus(plus(a, math.MaxInt64), 1)
	}
	return plus(a, -b)
}

func (b *budget) free(limit int64) int64 { return minus(minus(limit, b.spent), b.reserved) }

// wait is how long until need fits into the limit by time alone, with reservations as they are;
// 0 is never.
func (b *budget) wait(a *BudgetAsk, need, now int64) time.Duration {
	switch {
	case need > a.Limit:
		return 0
	case b.rolling != nil:
		lacking := minus(need, b.free(a.Limit))
		return time.Duration(b.rolling.wait(now, lacking))
	case b.end < forever:
		return time.Duration(max(1, b.end-now))
	}
	return 0
}

// forget lets fall out what is older than a rolling window.
func (b *budget) forget(now int64) {
	if b.rolling != nil {
		b.spent = minus(b.spent, b.rolling.forget(now))
	}
}

// spend charges an amount and gives the slice that it went to.
func (b *budget) spend(now, amount int64) (slice int64) {
	b.spent = plus(b.spent, amount)
	if b.rolling != nil {
		return b.rolling.add(now, amount)
	}
	return 0
}

// correct changes what was spent in a slice. What has fallen out is not corrected downwards.
func (b *budget) correct(slice, now, amount int64) {
	switch {
	case b.rolling == nil, b.rolling.correct(slice, amount):
		b.spent = plus(b.spent, amount)
	case amount > 0:
		b.spend(now, amount)
	}
}

// cross tells of the shares that what was spent has come to. In a rolling window a share is told
// of again when a whole window has passed.
func (b *budget) cross(a *BudgetAsk, now int64, tell func(Threshold)) {
	for _, share := range a.Soft {
		if b.spent < shareOf(a.Limit, share) {
			continue
		}
		if b.mark(share, now, int64(a.Window.Rolling)) && tell != nil {
			tell(Threshold{Counter: a.Counter, Of: a.Of, Share: share, Spent: b.spent, Limit: a.Limit})
		}
	}
}

func (b *budget) mark(share int, now, again int64) bool {
	for i := range b.raised {
		if r := &b.raised[i]; r.share == share {
			if again == 0 || now-r.at < again {
				return false
			}
			r.at = now
			return true
		}
	}
	b.raised = append(b.raised, raised{share, now})
	return true
}

// shareOf is so many percent, rounded up.
func shareOf(limit int64, percent int) int64 {
	high, low := bits.Mul64(uint64(max(0, limit)), uint64(max(0, percent)))
	low, carry := bits.Add64(low, 99, 0)
	high += carry
	if high >= 100 {
		return math.MaxInt64
	}
	share, _ := bits.Div64(high, low, 100)
	return int64(min(share, math.MaxInt64))
}

// expire drops a budget that says nothing any more: its window has ended, or all has fallen out
// of it.
func (b *budget) expire(m *Meter, now int64) {
	b.forget(now)
	over := b.end <= now || b.rolling != nil && b.spent == 0 && b.reserved == 0 && !b.recent(now)
	if b.held > 0 || !over {
		m.wheel.put(&b.timed, now+idle)
		return
	}
	delete(m.budgets, b.name)
}

// recent reports whether a threshold was told of so lately that it must be remembered.
func (b *budget) recent(now int64) bool {
	for _, r := range b.raised {
		if now-r.at < b.rolling.length*rollingSlices {
			return true
		}
	}
	return false
}
