package policy

import "time"

// How much a refusal stands in the way: the higher goes first, then the longer wait.
const (
	blockHeld = iota + 1
	blockSlot
	blockTime
	blockNever
)

// verdict gathers the refusals of one ask.
type verdict struct {
	refused Refused
	block   int
}

func (v *verdict) refuse(r Refused, block int) {
	if block > v.block || block == v.block && r.Wait > v.refused.Wait {
		v.refused, v.block = r, block
	}
}

// check finds what stands in the way of an ask, and else how many tokens of output every budget
// can pay for. It charges nothing.
func (l *lease) check(a *Ask, now int64) (output int64, refused Refused) {
	var v verdict
	for i, r := range l.rates {
		wait, ok := r.wait(&a.Rates[i], now)
		switch {
		case !ok:
			v.refuse(Refused{Kind: AskRate, Index: i}, blockNever)
		case wait > 0:
			v.refuse(Refused{Kind: AskRate, Index: i, Wait: time.Duration(wait)}, blockTime)
		}
	}
	for i, s := range l.slots {
		if s.used >= a.Slots[i].Limit {
			v.refuse(Refused{Kind: AskSlot, Index: i, Wait: SlotWait}, blockSlot)
		}
	}
	output = max(0, a.Output)
	least := min(max(0, a.Least), output)
	for i := range l.budgets {
		b, ask := l.budgets[i].budget, &a.Budgets[i]
		if ask.Advisory {
			continue
		}
		most := ask.affords(b.free(ask.Limit))
		if most < least {
			v.refuse(b.refusal(ask, i, ask.reserve(least), now))
		}
		output = min(output, most)
	}
	return output, v.refused
}

// refusal says why a budget does not pay for what is needed.
func (b *budget) refusal(a *BudgetAsk, index int, need, now int64) (Refused, int) {
	r := Refused{Kind: AskBudget, Index: index, Wait: b.wait(a, need, now)}
	switch {
	case need <= minus(a.Limit, b.spent):
		r.Held = true
		return r, blockHeld
	case r.Wait == 0:
		return r, blockNever
	}
	return r, blockTime
}
