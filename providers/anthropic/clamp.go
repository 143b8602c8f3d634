package anthropic

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// fitClamp lowers the output's bound to the gateway's own, which nothing may raise again.
func (w *writer) fitClamp() error {
	clamp := w.call.Clamp
	if clamp <= 0 || w.max <= clamp {
		return nil
	}
	w.max = clamp
	w.clamped = w.maxName() + "=" + strconv.FormatInt(clamp, 10)
	if w.thinking.kind != "enabled" {
		return nil // thinking by effort ends where the output does
	}
	return w.shrinkBudget()
}

// shrinkBudget leaves a fifth of the output to the answer, as far as the model's least budget
// lets it. Where not even that one is below the bound, the model is not told to think.
func (w *writer) shrinkBudget() error {
	t := &w.thinking
	room := max(minBudget, w.call.Can.BudgetMin, w.max/5*4)
	switch {
	case t.budget <= room && t.budget < w.max:
		return nil
	case room >= w.max:
		w.dropThinking()
		*t = thinking{}
		return nil
	}
	w.dropThinking()
	t.budget = room
	if t.raw == nil {
		return nil
	}
	var own providers.Document
	if err := own.Scan(t.raw, nil); err != nil {
		return err
	}
	t.raw = own.Splice(nil, providers.Edit{Name: "budget_tokens", Value: strconv.AppendInt(nil, room, 10)})
	return nil
}
