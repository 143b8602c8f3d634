package policy

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

// steps is how long a property is tried.
func steps(short, long int) int {
	if os.Getenv("AISTRALE_PROVE") != "" {
		return long
	}
	return short
}

// hand is a clock that the test moves.
type hand struct{ now time.Time }

func newHand() *hand { return &hand{time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)} }

func (h *hand) Now() time.Time { return h.now }

// admission is a call that a rate admitted.
type admission struct {
	at   time.Time
	cost int64
}

// Over any span a rate admits at most what flows in meanwhile and one burst; and it refuses only
// what a bucket, reckoned anew from all that was admitted, has no room for.
func TestMeterRateModel(t *testing.T) {
	for seed := range uint64(steps(60, 3000)) {
		g := rand.New(rand.NewPCG(seed, 11))
		clock := newHand()
		m := NewMeter(MeterOptions{Leak: 1, Now: clock.Now})
		interval := time.Duration(1 + g.Int64N(int64(time.Second)<<g.IntN(12)>>6))
		limit := 1 + g.Int64N(50)
		var admitted []admission
		for range 300 {
			clock.now = clock.now.Add(time.Duration(g.Int64N(int64(interval)*3 + 1)))
			if g.IntN(40) == 0 {
				clock.now = clock.now.Add(interval * time.Duration(g.Int64N(4*limit)))
			}
			a := &Ask{Now: clock.now, Alive: time.Hour, Rates: []RateAsk{{Counter: "r", Interval: interval, Burst: limit, Cost: 1 + g.Int64N(1+limit/5)}}}
			v := m.mustTake(t, a)
			room := bucketRoom(admitted, clock.now, interval, limit)
			need := time.Duration(a.Rates[0].Cost) * interval
			if got, want := v.Grant != nil, need <= room; got != want {
				t.Fatalf("seed %d: admitted %v, the model %v: %s of room for %s", seed, got, want, room, need)
			}
			if v.Grant != nil {
				admitted = append(admitted, admission{clock.now, a.Rates[0].Cost})
				room -= need
			} else if want := need - room; v.Refused.Wait != want {
				t.Fatalf("seed %d: a wait of %s, want %s", seed, v.Refused.Wait, want)
			}
			if got, want := v.Rates[0].Remaining, int64(room/interval); got != want {
				t.Fatalf("seed %d: %d remain, want %d", seed, got, want)
			}
		}
		anySpan(t, admitted, interval, limit)
	}
}

// bucketRoom is the room in a leaky bucket, in time: each admission fills it, and it leaks.
func bucketRoom(admitted []admission, now time.Time, interval time.Duration, burst int64) time.Duration {
	var level time.Duration
	for i, a := range admitted {
		if i > 0 {
			level = max(0, level-a.at.Sub(admitted[i-1].at))
		}
		level += time.Duration(a.cost) * interval
	}
	if n := len(admitted); n > 0 {
		level = max(0, level-now.Sub(admitted[n-1].at))
	}
	return time.Duration(burst)*interval - level
}

func anySpan(t *testing.T, admitted []admission, interval time.Duration, burst int64) {
	t.Helper()
	for i := range admitted {
		var sum int64
		for _, a := range admitted[i:] {
			sum += a.cost
			if most := burst + int64(a.at.Sub(admitted[i].at)/interval); sum > most {
				t.Fatalf("%d units in %s, at most %d may be", sum, a.at.Sub(admitted[i].at), most)
			}
		}
	}
}

func (m *Meter) mustTake(t *testing.T, a *Ask) Verdict {
	t.Helper()
	v, err := m.Take(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// ledgerModel reckons a budget from what was done, without any of the meter's sums.
type ledgerModel struct {
	limit   int64
	rolling time.Duration
	open    []*modelLease
	charges []modelCharge
}

type modelLease struct {
	grant    *Grant
	reserved int64
	due      time.Time
	expired  *modelCharge
}

type modelCharge struct {
	at     time.Time
	amount int64
}

// sum is what is spent at a time: exactly, and with what a window's last slice may still hold.
func (l *ledgerModel) sum(now time.Time) (least, most int64) {
	for _, c := range l.charges {
		age := now.Sub(c.at)
		if l.rolling == 0 || age < l.rolling {
			least += c.amount
		}
		if l.rolling == 0 || age <= l.rolling+l.rolling/50+1 {
			most += c.amount
		}
	}
	return least, most
}

func (l *ledgerModel) reserved() (sum int64) {
	for _, o := range l.open {
		sum += o.reserved
	}
	return sum
}

// Whatever is asked, extended, settled, left to run out and settled late: what a budget has spent
// and reserved is what a plain list of all that says, and never more than the limit, while no
// call takes more than it reserved.
func TestMeterBudgetModel(t *testing.T) {
	for seed := range uint64(steps(150, 8000)) {
		g := rand.New(rand.NewPCG(seed, 12))
		clock := newHand()
		b := budgetRun{t: t, g: g, clock: clock, seed: seed, meter: NewMeter(MeterOptions{Leak: 1, Now: clock.Now})}
		b.model.limit = 1 + g.Int64N(1<<(1+g.IntN(45)))
		if g.IntN(2) == 0 {
			b.model.rolling = time.Duration(1+g.IntN(100)) * time.Minute
		}
		for range 250 {
			b.step()
		}
	}
}

type budgetRun struct {
	t     *testing.T
	g     *rand.Rand
	seed  uint64
	clock *hand
	meter *Meter
	model ledgerModel
	late  []*modelLease // that ran out
}

func (b *budgetRun) ask() BudgetAsk {
	return BudgetAsk{Counter: "b", Limit: b.model.limit, Window: Window{Rolling: b.model.rolling}}
}

func (b *budgetRun) step() {
	switch n := b.g.IntN(12); {
	case n < 5:
		b.take()
	case n < 8 && len(b.model.open) > 0:
		b.settle()
	case n == 8 && len(b.model.open) > 0:
		b.extend()
	case n == 9 && len(b.late) > 0:
		b.settleLate()
	case n == 10:
		b.clock.now = b.clock.now.Add(time.Duration(b.g.Int64N(int64(20 * time.Minute))))
	default:
		b.clock.now = b.clock.now.Add(time.Duration(b.g.Int64N(int64(10 * time.Second))))
	}
	b.runOut()
	b.compare()
}

func (b *budgetRun) take() {
	a := b.ask()
	share := b.g.Int64N(4) + 1
	a.Fixed, a.PerMillion = b.g.Int64N(b.model.limit/share+2)/4, b.g.Int64N(3_000_000)
	ask := &Ask{
		Now: b.clock.now, Alive: time.Duration(1+b.g.IntN(1200)) * time.Second, Budgets: []BudgetAsk{a},
		Output: b.g.Int64N(b.model.limit/share + 2),
	}
	ask.Least = b.g.Int64N(ask.Output + 1)
	_, most := b.model.sum(b.clock.now)
	least, _ := b.model.sum(b.clock.now)
	cost := func(tokens int64) int64 { // plainly, in floating point with room for its error
		return a.Fixed + int64(float64(tokens)*float64(a.PerMillion)/1e6)
	}
	v := b.meter.mustTake(b.t, ask)
	slack := int64(2) + b.model.limit>>40
	if v.Grant == nil {
		if free := b.model.limit - most - b.model.reserved(); cost(ask.Least) < free-slack {
			b.t.Fatalf("seed %d: refused %d with %d free", b.seed, cost(ask.Least), free)
		}
		if held := cost(ask.Least) < b.model.limit-most-slack; held && !v.Refused.Held {
			b.t.Fatalf("seed %d: it would fit, were the reservations back: %+v", b.seed, v.Refused)
		}
		return
	}
	free := b.model.limit - least - b.model.reserved()
	if cost(v.Grant.Output) > free || v.Grant.Output < ask.Least || v.Grant.Output > ask.Output {
		b.t.Fatalf("seed %d: granted %d tokens of %d to %d, with %d free", b.seed, v.Grant.Output, ask.Least, ask.Output, free)
	}
	if v.Grant.Output < ask.Output && cost(v.Grant.Output+1) < b.model.limit-most-b.model.reserved()-slack {
		b.t.Fatalf("seed %d: clamped to %d tokens, more would fit", b.seed, v.Grant.Output)
	}
	b.open(v.Grant)
}

func (b *budgetRun) open(g *Grant) {
	b.model.open = append(b.model.open, &modelLease{
		grant: g, reserved: g.Ask.Budgets[0].reserve(g.Output), due: b.clock.now.Add(g.Ask.Alive),
	})
}

func (b *budgetRun) settle() {
	i := b.g.IntN(len(b.model.open))
	l := b.model.open[i]
	spent := b.g.Int64N(l.reserved + 1)
	for range 1 + b.g.IntN(2) {
		b.meter.Settle(l.grant, Spent{Budgets: []int64{spent}})
	}
	b.model.open = slices.Delete(b.model.open, i, i+1)
	b.model.charges = append(b.model.charges, modelCharge{b.clock.now, spent})
}

func (b *budgetRun) extend() {
	l := b.model.open[b.g.IntN(len(b.model.open))]
	tokens := b.g.Int64N(b.model.limit/3 + 1)
	ok, err := b.meter.Extend(b.t.Context(), l.grant, tokens)
	if err != nil {
		b.t.Fatal(err)
	}
	l.due = b.clock.now.Add(l.grant.Ask.Alive)
	if ok {
		l.reserved = l.grant.Ask.Budgets[0].reserve(l.grant.Output)
	}
}

func (b *budgetRun) settleLate() {
	i := b.g.IntN(len(b.late))
	l := b.late[i]
	b.late = slices.Delete(b.late, i, i+1)
	spent := b.g.Int64N(l.reserved + 1)
	b.meter.Settle(l.grant, Spent{Budgets: []int64{spent}})
	for j := range b.model.charges {
		if c := &b.model.charges[j]; c.at.Equal(l.expired.at) && c.amount == l.expired.amount {
			c.amount = spent
			break
		}
	}
}

// runOut charges what nobody settled in time. The meter may notice up to a tick later, so the
// time of the charge is the meter's.
func (b *budgetRun) runOut() {
	ask := b.ask()
	if _, err := StateOf(b.t.Context(), b.meter, &ask); err != nil {
		b.t.Fatal(err)
	}
	b.model.open = slices.DeleteFunc(b.model.open, func(l *modelLease) bool {
		if l.grant.lease.phase != leaseExpired {
			if b.clock.now.Sub(l.due) > 2*time.Second {
				b.t.Fatalf("seed %d: a lease stands %s after its time", b.seed, b.clock.now.Sub(l.due))
			}
			return false
		}
		if b.clock.now.Before(l.due) {
			b.t.Fatalf("seed %d: a lease ran out early", b.seed)
		}
		l.expired = &modelCharge{b.clock.now, l.reserved}
		b.model.charges = append(b.model.charges, *l.expired)
		b.late = append(b.late, l)
		return true
	})
}

func (b *budgetRun) compare() {
	ask := b.ask()
	got, err := StateOf(b.t.Context(), b.meter, &ask)
	if err != nil {
		b.t.Fatal(err)
	}
	least, most := b.model.sum(b.clock.now)
	if got.Spent < least || got.Spent > most || got.Reserved != b.model.reserved() {
		b.t.Fatalf("seed %d: %+v; the model has %d to %d spent, %d reserved (window %s)", b.seed, got, least, most, b.model.reserved(), b.model.rolling)
	}
	if got.Spent+got.Reserved > b.model.limit {
		b.t.Fatalf("seed %d: %+v of %d", b.seed, got, b.model.limit)
	}
}

// Token rates, charged by estimate and corrected: while the rate is never idle, what was admitted
// is what really was used, to the unit.
func TestMeterTokenModel(t *testing.T) {
	for seed := range uint64(steps(60, 3000)) {
		g := rand.New(rand.NewPCG(seed, 13))
		clock := newHand()
		m := NewMeter(MeterOptions{Leak: 1, Now: clock.Now})
		const interval, burst = time.Millisecond, 1000
		began := clock.now
		rate := func(cost int64) []RateAsk {
			return []RateAsk{{Counter: "r", Interval: interval, Burst: burst, Cost: cost}}
		}
		m.mustTake(t, &Ask{Now: clock.now, Alive: time.Hour, Rates: rate(burst)}) // never idle from here on
		used := int64(burst)
		var open []*Grant
		for range 400 {
			clock.now = clock.now.Add(time.Duration(g.Int64N(int64(30 * time.Millisecond))))
			if v := m.mustTake(t, &Ask{Now: clock.now, Alive: time.Hour, Rates: rate(1 + g.Int64N(200))}); v.Grant != nil {
				open = append(open, v.Grant)
				used += v.Grant.Ask.Rates[0].Cost
			}
			if len(open) > 0 && g.IntN(2) == 0 {
				l := open[0]
				open = open[1:]
				really := g.Int64N(220)
				m.Settle(l, Spent{Rates: []int64{really}})
				used += really - l.Ask.Rates[0].Cost
			}
			filled := began.Add(time.Duration(used) * interval).Sub(clock.now)
			if filled <= 0 {
				break // it fell idle: from here on another reckoning holds
			}
			v := m.mustTake(t, &Ask{Now: clock.now, Rates: rate(burst + 1)})
			if v.Grant != nil || v.Rates[0].Reset != filled {
				t.Fatalf("seed %d: %s until it is whole, want %s", seed, v.Rates[0].Reset, filled)
			}
		}
	}
}
