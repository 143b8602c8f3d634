package telemetry

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// tryKey is what the children of an attempt's metrics are found by.
type tryKey struct {
	provider, model string
	op              providers.Op
	outcome         storage.Outcome
}

// try are the children for an attempt at an upstream.
type try struct {
	count      prometheus.Counter
	duration   *histogram
	firstChunk func() *histogram
}

func (m *metrics) observeTry(r seen, a *storage.Attempt) {
	took, first, outcome := attemptTimes(r.Record, a)
	t := m.tryOf(r.Op, a, outcome)
	t.count.Inc()
	t.duration.seconds(took, r)
	if first > 0 {
		t.firstChunk().seconds(first, r)
	}
}

// attemptTimes says how long an attempt took, when its first content came where it was streamed, and
// how it ended. An attempt whose stream has begun ends with the request.
func attemptTimes(r *storage.Record, a *storage.Attempt) (took, first time.Duration, outcome storage.Outcome) {
	if a.Outcome != storage.OutcomeOK || !r.Stream || a.Began.IsZero() {
		return a.Duration, 0, a.Outcome
	}
	began := a.Began.Sub(r.Time)
	if r.FirstByte > began {
		first = r.FirstByte - began
	}
	return max(a.Duration, r.Duration-began), first, r.Outcome
}

func (m *metrics) tryOf(op providers.Op, a *storage.Attempt, outcome storage.Outcome) *try {
	key := tryKey{a.Provider, a.Model, op, outcome}
	if t, ok := m.tries.get(key); ok {
		return t
	}
	key.provider, key.model = m.bounded(key.provider, key.model)
	if t, ok := m.tries.get(key); ok {
		return t
	}
	key.provider, key.model = strings.Clone(key.provider), strings.Clone(key.model)
	if t, ok := m.tries.put(key, func() *try { return m.newTry(key) }); ok {
		return t
	}
	return m.restTry()
}

func (m *metrics) newTry(key tryKey) *try {
	op := key.op.String()
	return &try{
		count:      m.attempts.WithLabelValues(key.provider, string(key.outcome)),
		duration:   m.tryDuration.with(op, key.provider, key.model, failureLabel(key.outcome)),
		firstChunk: sync.OnceValue(func() *histogram { return m.firstChunk.with(op, key.provider, key.model) }),
	}
}
