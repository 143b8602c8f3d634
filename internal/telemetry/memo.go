package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"
)

// memo remembers what was made for a key. A look-up takes no lock and allocates nothing; an
// insert copies the map, which is fine for a few thousand keys that come once.
type memo[K comparable, V any] struct {
	held  atomic.Pointer[map[K]V]
	mu    sync.Mutex // held by inserts
	limit int
}

func newMemo[K comparable, V any](limit int) *memo[K, V] {
	m := &memo[K, V]{limit: limit}
	m.clear()
	return m
}

func (m *memo[K, V]) get(key K) (V, bool) {
	v, ok := (*m.held.Load())[key]
	return v, ok
}

// put keeps what build makes, unless another call was first or the memo is full. The key must
// not point into memory that will be used again.
func (m *memo[K, V]) put(key K, build func() V) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := *m.held.Load()
	if v, ok := old[key]; ok {
		return v, true
	}
	if len(old) >= m.limit {
		var none V
		return none, false
	}
	grown := make(map[K]V, len(old)+1)
	maps.Copy(grown, old)
	v := build()
	grown[key] = v
	m.held.Store(&grown)
	return v, true
}

func (m *memo[K, V]) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held.Store(&map[K]V{})
}
