package policy

import (
	"sync"
	"sync/atomic"
)

// Means remember how many tokens of output the calls of each key make: the estimate for a call
// that says no bound. They outlive reloads.
type Means struct {
	mu    sync.Mutex
	byKey map[string]*mean
}

// NewMeans makes means that know nothing yet.
func NewMeans() *Means { return &Means{byKey: map[string]*mean{}} }

const (
	firstGuess = 500 // tokens, for a key that has made no call yet
	meanWeight = 16  // a call counts for one sixteenth
)

// mean is a running mean, times meanWeight; 0 before the first call.
type mean struct{ sum atomic.Int64 }

func (m *Means) of(keyID string) *mean {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byKey[keyID] == nil {
		m.byKey[keyID] = &mean{}
	}
	return m.byKey[keyID]
}

func (m *mean) get() int64 {
	if sum := m.sum.Load(); sum > 0 {
		return sum / meanWeight
	}
	return firstGuess
}

func (m *mean) learn(output int64) {
	const most = 1 << 40
	output = max(1, min(output, most))
	for {
		sum := m.sum.Load()
		next := sum + output - sum/meanWeight
		if sum == 0 {
			next = output * meanWeight
		}
		if m.sum.CompareAndSwap(sum, next) {
			return
		}
	}
}
