package main

import (
	"sync/atomic"

	"github.com/aistrale/aistrale/storage"
)

// heirs hand on what dead gateways left, when the ledger has it: their reservations stand in
// counters that gateways share.
type heirs struct {
	settle atomic.Pointer[func([]storage.Entry) error] // nil until the first snapshot is in place
}

// take implements the journals' Adopted.
func (h *heirs) take(entries []storage.Entry) error {
	if settle := h.settle.Load(); settle != nil {
		return (*settle)(entries)
	}
	return nil
}

func (h *heirs) tell(settle func([]storage.Entry) error) { h.settle.Store(&settle) }
