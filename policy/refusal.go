package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// soon is the wait from which the client's SDK does better not to try again by itself.
const soon = time.Minute

// Fault says a refusal in the words of OpenAI. asked is the model as the client named it. Its
// message names the limit and when to come back, and no other caller; its cause, which is the
// operator's, names the counter. It is retryable, at another target, where that one may be
// cheaper or outside of the limit.
func (v *Verdict) Fault(a *Ask, asked string) *providers.Fault {
	r := v.Refused
	switch r.Kind {
	case AskRate:
		var state RateState
		if r.Index < len(v.Rates) {
			state = v.Rates[r.Index]
		}
		return a.Rates[r.Index].fault(r, state, asked)
	case AskSlot:
		return a.Slots[r.Index].fault(r, asked)
	case AskBudget:
		return a.Budgets[r.Index].fault(r, asked)
	}
	return &providers.Fault{Kind: providers.FaultInternal, Cause: errors.New("a refusal that refuses nothing"),
		Message: "The gateway failed on this request."}
}

// Note notes which kinds of limits a verdict admits or refuses.
func (v *Verdict) Note(a *Ask, n *storage.LimitNote) {
	n.Degraded = n.Degraded || v.Degraded
	if v.Grant == nil {
		n.Refused.Add(v.Refused.limit(a))
		return
	}
	for i := range a.Rates {
		n.Admitted.Add(a.Rates[i].limit())
	}
	if len(a.Slots) > 0 {
		n.Admitted.Add(storage.LimitConcurrency)
	}
	if len(a.Budgets) > 0 {
		n.Admitted.Add(storage.LimitBudget)
	}
}

func (r *Refused) limit(a *Ask) storage.LimitKind {
	switch r.Kind {
	case AskRate:
		return a.Rates[r.Index].limit()
	case AskSlot:
		return storage.LimitConcurrency
	case AskBudget:
		return storage.LimitBudget
	}
	return storage.LimitRequests
}

func (a *RateAsk) limit() storage.LimitKind {
	if a.Of != nil && a.Of.Counts != CountedRequests {
		return storage.LimitTokens
	}
	return storage.LimitRequests
}

func (a *RateAsk) fault(r Refused, state RateState, asked string) *providers.Fault {
	f := &providers.Fault{
		Kind: providers.FaultRequestRate, RetryAfter: r.Wait, NoRetry: r.Wait == 0 || r.Wait > soon,
		Cause: fmt.Errorf("%s refuses %d, %d are left of a burst of %d", a.Counter, a.Cost, state.Remaining, a.Burst),
	}
	if a.Of == nil {
		f.Message = fmt.Sprintf("Rate limit reached for `%s`.", asked) + tryAgain(r.Wait)
		return f
	}
	if a.Of.Counts != CountedRequests {
		f.Kind = providers.FaultTokenRate
	}
	f.Retryable = len(a.Of.Models) > 0
	words := a.Of.words()
	switch {
	case r.Wait == 0:
		f.Message = fmt.Sprintf("Request too large for `%s`%s on %s: Limit %d, Requested %d. "+
			"The input or output tokens must be reduced in order to run successfully.", asked, a.Of.Holder.of(), words, min(a.Burst, a.Of.Limit), a.Cost)
	case a.Of.Holder.Kind == storage.ScopeAll: // what others have used is not the client's to know
		f.Message = fmt.Sprintf("Rate limit reached for `%s` on %s: Limit %d, Requested %d.", asked, words, a.Of.Limit, a.Cost) + tryAgain(r.Wait)
	default:
		used := max(0, a.Of.Limit-state.Remaining)
		f.Message = fmt.Sprintf("Rate limit reached for `%s`%s on %s: Limit %d, Used %d, Requested %d.", asked, a.Of.Holder.of(), words, a.Of.Limit, used, a.Cost) + tryAgain(r.Wait)
	}
	return f
}

// words names a rate as OpenAI does.
func (r *RateRule) words() string {
	switch {
	case r.Counts == CountedRequests && r.Per == wholeDay:
		return "requests per day (RPD)"
	case r.Counts == CountedRequests:
		return "requests per min (RPM)"
	case r.Counts == CountedInput:
		return "input tokens per min (TPM)"
	case r.Counts == CountedOutput:
		return "output tokens per min (TPM)"
	}
	return "tokens per min (TPM)"
}

// of says whose a limit is, in the client's sight.
func (h *Holder) of() string {
	if h.Kind == storage.ScopeAll {
		return ""
	}
	return " of this " + string(h.Kind)
}

// tryAgain rounds up, so that who follows it is not refused again.
func tryAgain(wait time.Duration) string {
	if wait <= 0 {
		return ""
	}
	return " Please try again in " + roundUp(wait).String() + "."
}

// roundUp keeps as much of a wait as is worth saying: milliseconds below a minute, else seconds.
func roundUp(d time.Duration) time.Duration {
	unit := time.Millisecond
	if d >= time.Minute {
		unit = time.Second
	}
	return (d + unit - 1) / unit * unit
}

func (a *SlotAsk) fault(r Refused, asked string) *providers.Fault {
	whose, narrow := "", false
	if a.Of != nil {
		whose, narrow = a.Of.Holder.of(), len(a.Of.Models) > 0
	}
	return &providers.Fault{
		Kind: providers.FaultRequestRate, RetryAfter: r.Wait, Retryable: narrow,
		Message: fmt.Sprintf("Rate limit reached for `%s`%s on concurrent requests: Limit %d.", asked, whose, a.Limit) + tryAgain(r.Wait),
		Cause:   fmt.Errorf("%s: all %d are under way", a.Counter, a.Limit),
	}
}

// heldRetry is when to come back where only reservations of calls under way are in the way.
const heldRetry = time.Second

func (a *BudgetAsk) fault(r Refused, asked string) *providers.Fault {
	if r.Held {
		return &providers.Fault{
			Kind: providers.FaultRequestRate, RetryAfter: heldRetry, Retryable: true,
			Message: fmt.Sprintf("What is left of the budget%s is reserved by requests under way, so `%s` cannot be called now.", a.whose(), asked) + tryAgain(heldRetry),
			Cause:   fmt.Errorf("%s: the call may take %s, which others have reserved", a.Counter, a.amount(a.Fixed)),
		}
	}
	f := &providers.Fault{
		Kind: providers.FaultQuota, RetryAfter: r.Wait, Retryable: true, NoRetry: r.Wait == 0 || r.Wait > soon,
		Message: fmt.Sprintf("You exceeded your current quota: the budget%s%s does not pay for this request to `%s`.", a.per(), a.whose(), asked) + tryAgain(r.Wait),
		Cause:   fmt.Errorf("%s: of %s not enough is left for a call that takes %s before its output", a.Counter, a.amount(a.Limit), a.amount(a.Fixed)),
	}
	return f
}

func (a *BudgetAsk) whose() string {
	if a.Of == nil {
		return ""
	}
	return a.Of.Holder.of()
}

// per says a budget's amount and span; how much everybody together may spend is the operator's.
func (a *BudgetAsk) per() string {
	if a.Of == nil || a.Of.Holder.Kind == storage.ScopeAll {
		return ""
	}
	amount := " of " + a.amount(a.Limit)
	switch b := a.Of.Budget; b.Per {
	case storage.SpanTotal:
		return amount
	case storage.SpanRolling:
		return amount + " in " + strings.TrimSuffix(strings.TrimSuffix(b.Rolling.String(), "0s"), "0m")
	case storage.SpanDay, storage.SpanWeek, storage.SpanMonth:
	}
	return amount + " per " + string(a.Of.Budget.Per)
}

func (a *BudgetAsk) amount(units int64) string {
	if a.Of == nil || a.Of.Counts == CountedNano {
		return storage.FormatUSD(units) + " USD"
	}
	return fmt.Sprintf("%d tokens", units)
}
