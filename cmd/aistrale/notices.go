package main

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// budgetEvent is a budget's coming to a share of it, for webhooks. Nodes that count for themselves
// may all see it: it is told once in a window.
func budgetEvent(t policy.Threshold, now time.Time) admin.Event {
	rule := t.Of
	said := admin.BudgetNotice{
		Workspace: rule.Holder.Workspace, Scope: string(rule.Holder.Kind), Per: string(rule.Budget.Per), Percent: t.Share,
		Spent: strconv.FormatInt(t.Spent, 10), Limit: strconv.FormatInt(t.Limit, 10), Unit: "tokens",
	}
	if rule.Holder.Name != "" {
		said.Scope += "/" + rule.Holder.Name
	}
	if rule.Counts == policy.CountedNano {
		said.Spent, said.Limit, said.Unit = storage.FormatUSD(t.Spent), storage.FormatUSD(t.Limit), "usd"
	}
	once := fmt.Sprintf("%s/%d/%d", t.Counter, t.Limit, t.Share) // a calendar span's counter is that of one span
	if length := rule.Budget.Rolling; length > 0 {
		once += fmt.Sprintf("/%d", now.UnixNano()/int64(length))
	}
	return admin.Event{
		Type: admin.EventBudget, Workspace: said.Workspace, Data: said, Once: once,
		Text: fmt.Sprintf("The budget of %s (per %s) has come to %d%%: %s of %s %s are spent.", said.Scope, said.Per, said.Percent, said.Spent, said.Limit, said.Unit),
	}
}

// circuits tell webhooks of a node's circuits: that one opened, and that it closed again. One that
// is tried and opens anew has been told of.
type circuits struct {
	node string
	post func(admin.Event)
	mu   sync.Mutex
	open map[policy.Place]bool
}

// failingEvery is how often it is told that a credential is refused, over all nodes.
const failingEvery = time.Hour

// changed takes a circuit's new state. It never waits.
func (c *circuits) changed(to policy.Change, now time.Time) {
	e := admin.Event{Data: admin.PlaceNotice{Node: c.node, Provider: to.Provider, Credential: to.Credential, Model: to.Model}}
	place := to.Provider
	if to.Credential != "" {
		place += " (credential " + to.Credential + ")"
	}
	switch to.State {
	case policy.StateAside:
		e.Type, e.Text = admin.EventCredentialFailing, "The provider refuses the credential of "+place+"."
		e.Once = fmt.Sprintf("%s/%s/%d", to.Provider, to.Credential, now.UnixNano()/int64(failingEvery))
	case policy.StateOpen:
		if !c.turn(to.Place, true) {
			return
		}
		e.Type, e.Text = admin.EventBreakerOpened, fmt.Sprintf("%s fails at %s for model %s: its circuit is open.", place, c.node, to.Model)
	case policy.StateClosed:
		if !c.turn(to.Place, false) {
			return
		}
		e.Type, e.Text = admin.EventBreakerClosed, fmt.Sprintf("%s serves model %s again at %s: its circuit is closed.", place, to.Model, c.node)
	default:
		return
	}
	c.post(e)
}

// turn notes that a place is open or closed, and reports whether that is new.
func (c *circuits) turn(p policy.Place, open bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[p] == open {
		return false
	}
	if open {
		c.open[p] = true
	} else {
		delete(c.open, p)
	}
	return true
}
