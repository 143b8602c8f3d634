package policy

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Health knows how each place does. Like the counters it stands outside the snapshot, so that a
// reload forgets nothing.
type Health struct {
	options HealthOptions

	mu       sync.RWMutex
	circuits map[Place]*Circuit
	budgets  map[string]*RetryBudget // by provider
	swept    time.Time
}

// HealthOptions are told of changes; the zero value tells nobody.
type HealthOptions struct {
	// Changed must return at once, and ask nothing of the Health.
	Changed func(Change)
}

// Change is a circuit's new state.
type Change struct {
	Place // without a model where its credential was set aside
	State State
}

// NewHealth makes one that takes every place for sound.
func NewHealth(o HealthOptions) *Health {
	return &Health{options: o, circuits: map[Place]*Circuit{}, budgets: map[string]*RetryBudget{}}
}

// Clients can make models' names up, so places are bounded: those that nobody has used for a
// while make room, and past that the rest share one for each credential.
const (
	maxPlaces = 4096
	idlePlace = 10 * time.Minute
)

// Circuit finds a place's circuit, which follows the rules from now on.
func (h *Health) Circuit(p Place, rules *Breaker) *Circuit {
	h.mu.RLock()
	c := h.circuits[p]
	h.mu.RUnlock()
	if c == nil {
		c = h.add(p)
	}
	c.follow(rules)
	return c
}

// Credential finds what is known of a credential, whatever the model.
func (h *Health) Credential(provider, credential string) *Circuit {
	return h.Circuit(Place{Provider: provider, Credential: credential}, &Breaker{})
}

func (h *Health) add(p Place) *Circuit {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); len(h.circuits) >= maxPlaces && now.Sub(h.swept) > idlePlace/10 {
		h.swept = now
		h.sweep(now)
	}
	if len(h.circuits) >= maxPlaces {
		p.Model = "*" // no model's name
	}
	c := h.circuits[p]
	if c == nil {
		c = &Circuit{Place: p, health: h}
		h.circuits[p] = c
	}
	return c
}

// sweep drops places that say nothing.
func (h *Health) sweep(now time.Time) {
	for p, c := range h.circuits {
		s, _ := c.State(now)
		if s == StateClosed && c.flying.Load() == 0 && now.UnixNano()-c.used.Load() > int64(idlePlace) {
			c.gone.Store(true)
			delete(h.circuits, p)
		}
	}
}

// Budget finds a provider's retry budget.
func (h *Health) Budget(provider string) *RetryBudget {
	h.mu.RLock()
	b := h.budgets[provider]
	h.mu.RUnlock()
	if b != nil {
		return b
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if b = h.budgets[provider]; b == nil {
		b = &RetryBudget{}
		h.budgets[provider] = b
	}
	return b
}

// Ailing is a place that is not as it should be.
type Ailing struct {
	Place
	State State
	Until time.Time // zero where nobody knows
}

// Ailing lists the places that are not sound at a time.
func (h *Health) Ailing(now time.Time) []Ailing {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var list []Ailing
	for p, c := range h.circuits {
		if s, until := c.State(now); s != StateClosed {
			list = append(list, Ailing{p, s, until})
		}
	}
	slices.SortFunc(list, func(x, y Ailing) int {
		return cmp.Or(cmp.Compare(x.Provider, y.Provider), cmp.Compare(x.Credential, y.Credential), cmp.Compare(x.Model, y.Model))
	})
	return list
}

// changed tells who wants to know. It may be called with the fuse's lock held.
func (h *Health) changed(c *Circuit, to State) {
	if h.options.Changed == nil {
		return
	}
	h.options.Changed(Change{Place: c.Place, State: to})
}
