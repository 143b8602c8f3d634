package main

import (
	"slices"
	"sync"

	"github.com/aistrale/aistrale/storage"
)

// mostLeft bounds what is remembered of dead gateways until there are limits to hold it against.
const mostLeft = 100_000

// heirs hand on what dead gateways left, when the ledger has it: their reservations stand in
// counters that gateways share.
type heirs struct {
	mu     sync.Mutex
	left   []storage.Entry
	settle func([]storage.Entry) // nil until the first snapshot is in place
}

// take implements the journals' Adopted. Of what has no room, reservations run out.
func (h *heirs) take(entries []storage.Entry) {
	h.mu.Lock()
	settle := h.settle
	if settle == nil && len(h.left) < mostLeft {
		h.left = append(h.left, entries...)
	}
	h.mu.Unlock()
	if settle != nil {
		settle(entries)
	}
}

// tell has what was left, and what will be, settled by a function.
func (h *heirs) tell(settle func([]storage.Entry)) {
	h.mu.Lock()
	left := h.left
	h.settle, h.left = settle, nil
	h.mu.Unlock()
	for some := range slices.Chunk(left, 1000) {
		settle(some)
	}
}
