package policy

import "time"

// Weigh says what counters that stand so would make of an ask: how many tokens of output they
// would grant, or what would stand in the way. Waits are as long as they may be. Nothing is taken.
func (g *Gauge) Weigh(a *Ask) (output int64, v Verdict) {
	var found verdict
	for i := range a.Rates {
		r := &a.Rates[i]
		switch lacking := r.Cost - g.Rates[i].Remaining; {
		case r.Cost > r.Burst:
			found.refuse(Refused{Kind: AskRate, Index: i}, blockNever)
		case lacking > 0:
			found.refuse(Refused{Kind: AskRate, Index: i, Wait: time.Duration(lacking) * r.Interval}, blockTime)
		}
	}
	for i := range a.Slots {
		if g.Slots[i] >= a.Slots[i].Limit {
			found.refuse(Refused{Kind: AskSlot, Index: i, Wait: SlotWait}, blockSlot)
		}
	}
	output = max(0, a.Output)
	least := min(max(0, a.Least), output)
	for i := range a.Budgets {
		ask := &a.Budgets[i]
		if ask.Advisory {
			continue
		}
		b := budget{spent: g.Budgets[i].Spent, reserved: g.Budgets[i].Reserved, end: ask.Window.ends(a.Now)}
		most := ask.affords(b.free(ask.Limit))
		if most < least {
			found.refuse(b.refusal(ask, i, ask.reserve(least), 0))
		}
		output = min(output, most)
	}
	return output, Verdict{Refused: found.refused, Rates: g.Rates, Degraded: g.Degraded}
}

// ends is how long a window lasts from a time on, in nanoseconds; of a rolling one, all of it.
func (w *Window) ends(now time.Time) int64 {
	switch {
	case w.Rolling > 0:
		return int64(w.Rolling)
	case w.End.IsZero():
		return forever
	}
	return int64(w.End.Sub(now))
}
