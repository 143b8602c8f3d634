package telemetry

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// seriesKey is what the children of a request's metrics are found by.
type seriesKey struct {
	provider, model string
	op              providers.Op
	status          int
	outcome         storage.Outcome
}

// series are the children of one key, resolved once. What not every request has is resolved
// when one has it, so that no histogram is empty and no cost is 0 for want of a price.
type series struct {
	requests             prometheus.Counter
	duration             *histogram
	firstToken, perToken func() *histogram
	usage                func() *usage
	unit                 func(i int) prometheus.Counter
	cost                 func() prometheus.Counter
}

// usage are the children for what providers count.
type usage struct {
	input, output *histogram
	kinds         [len(tokenKinds)]prometheus.Counter
}

// of finds the children for a record.
func (m *metrics) of(r *storage.Record) *series {
	key := seriesKey{r.Provider, r.Model, r.Op, r.Status, r.Outcome}
	if s, ok := m.series.get(key); ok {
		return s
	}
	key.provider, key.model = m.bounded(key.provider, key.model)
	if s, ok := m.series.get(key); ok {
		return s
	}
	key.provider, key.model = strings.Clone(key.provider), strings.Clone(key.model)
	if s, ok := m.series.put(key, func() *series { return m.newSeries(key) }); ok {
		return s
	}
	return m.rest()
}

// bounded gives names that are fit for labels: of what a client names there is no end.
func (m *metrics) bounded(provider, model string) (boundedProvider, boundedModel string) {
	switch {
	case provider == "":
		return none, other
	case !m.known(provider, model):
		return provider, other
	}
	return provider, model
}

func (m *metrics) newSeries(key seriesKey) *series {
	op, provider, model := key.op.String(), key.provider, key.model
	once := func(of *histograms) func() *histogram {
		return sync.OnceValue(func() *histogram { return of.with(op, provider, model) })
	}
	return &series{
		requests:   m.requests.WithLabelValues(provider, model, statusLabel(key.status)),
		duration:   m.duration.with(op, provider, model, failureLabel(key.outcome)),
		firstToken: once(m.firstToken), perToken: once(m.perToken),
		usage: sync.OnceValue(func() *usage {
			u := &usage{input: m.tokens.with(op, provider, model, "input"), output: m.tokens.with(op, provider, model, "output")}
			for i, kind := range tokenKinds {
				u.kinds[i] = m.kinds.WithLabelValues(provider, model, kind)
			}
			return u
		}),
		unit: func(i int) prometheus.Counter { return m.units.WithLabelValues(provider, model, unitNames[i]) },
		cost: sync.OnceValue(func() prometheus.Counter { return m.cost.WithLabelValues(provider, model) }),
	}
}

// observe puts down what a reply had, and gives its tokens.
func (s *series) observe(r seen) (tokens int64) {
	streamed := r.Stream && r.FirstByte > 0
	if streamed {
		s.firstToken().seconds(r.FirstByte, r)
	}
	if len(r.Usage.Lines) == 0 {
		return 0
	}
	total, u := r.Usage.Total(), s.usage()
	u.input.Observe(float64(total.Input()))
	u.output.Observe(float64(total.Output))
	for i, n := range kinds(&total) {
		if n > 0 {
			u.kinds[i].Add(float64(n))
		}
	}
	for i, n := range units(&total) {
		if n > 0 {
			s.unit(i).Add(n)
		}
	}
	if after := total.Output - 1; streamed && after > 0 && r.Duration > r.FirstByte {
		s.perToken().seconds((r.Duration-r.FirstByte)/time.Duration(after), r)
	}
	return total.Input() + total.Output
}

// failureLabel is error_type's, which is empty where all went well.
func failureLabel(o storage.Outcome) string {
	if o == storage.OutcomeOK || o == storage.OutcomeCached {
		return ""
	}
	return string(o)
}
