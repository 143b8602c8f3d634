package telemetry

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

const (
	other = "other" // any model, provider or status that nobody configured
	none  = "none"  // the provider of a request that was refused before it had one

	// maxSeries bounds the combinations of provider, model, operation, status and outcome.
	maxSeries = 2048
	maxTries  = 256
)

type metrics struct {
	known    func(provider, model string) bool
	registry *registry
	vectors
	scalars

	series *memo[seriesKey, *series]
	tries  *memo[tryKey, prometheus.Counter]
	rest   func() *series            // past maxSeries
	restOf func() prometheus.Counter // past maxTries
}

// vectors are the metrics with labels.
type vectors struct {
	duration, firstToken, tokens *prometheus.HistogramVec
	requests, attempts, cost     *prometheus.CounterVec
	lineUp                       *prometheus.GaugeVec
	storeChanges, lineUps        *prometheus.CounterVec
}

// scalars are the metrics without labels, which stand at 0 from the start.
type scalars struct {
	overhead                         prometheus.Observer
	unpriced, ledgerLost, logDropped prometheus.Counter
	cacheHits                        prometheus.Counter
	openStreams, reloadOK, reloadAt  prometheus.Gauge
}

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
	requests                  prometheus.Counter
	duration                  prometheus.Observer
	firstToken                func() prometheus.Observer
	inputTokens, outputTokens func() prometheus.Observer
	cost                      func() prometheus.Counter
}

type tryKey struct {
	provider string
	outcome  storage.Outcome
}

func newMetrics(o Options) *metrics {
	r := newRegistry()
	m := &metrics{
		known: o.Known, registry: r, vectors: newVectors(r), scalars: newScalars(r),
		series: newMemo[seriesKey, *series](maxSeries), tries: newMemo[tryKey, prometheus.Counter](maxTries),
	}
	r.gauges("aistrale_build_info").WithLabelValues(o.Version, o.Revision, runtime.Version()).Set(1)
	m.reloadOK.Set(1)
	m.reloadAt.SetToCurrentTime()
	r.readings(o.Read)
	m.rest = sync.OnceValue(func() *series { return m.build(seriesKey{provider: other, model: other, outcome: other}) })
	m.restOf = sync.OnceValue(func() prometheus.Counter { return m.attempts.WithLabelValues(other, other) })
	// A request that reached no provider costs nothing, so this 0 is true; it makes the name
	// stand from the start, while a model without a price has no cost at all, rather than 0.
	m.cost.WithLabelValues(none, other)
	return m
}

func newVectors(r *registry) vectors {
	return vectors{
		duration:     r.histograms("gen_ai_server_request_duration_seconds"),
		firstToken:   r.histograms("gen_ai_server_time_to_first_token_seconds"),
		tokens:       r.histograms("gen_ai_client_token_usage"),
		requests:     r.counters("aistrale_requests_total"),
		attempts:     r.counters("aistrale_upstream_attempts_total"),
		cost:         r.counters("aistrale_cost_usd_total"),
		storeChanges: r.counters("aistrale_store_changes_total"),
		lineUp:       r.gauges("aistrale_store_line_up"),
		lineUps:      r.counters("aistrale_store_line_connects_total"),
	}
}

func newScalars(r *registry) scalars {
	return scalars{
		overhead:    r.histograms("aistrale_overhead_seconds").WithLabelValues(),
		unpriced:    r.counters("aistrale_unpriced_requests_total").WithLabelValues(),
		cacheHits:   r.counters("aistrale_cache_hits_total").WithLabelValues(),
		ledgerLost:  r.counters("aistrale_ledger_lost_total").WithLabelValues(),
		logDropped:  r.counters("aistrale_log_dropped_total").WithLabelValues(),
		openStreams: r.gauges("aistrale_open_streams").WithLabelValues(),
		reloadOK:    r.gauges("aistrale_config_last_reload_success").WithLabelValues(),
		reloadAt:    r.gauges("aistrale_config_last_reload_success_timestamp_seconds").WithLabelValues(),
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) reloaded(ok bool) {
	if !ok {
		m.reloadOK.Set(0)
		return
	}
	m.reloadOK.Set(1)
	m.reloadAt.SetToCurrentTime()
	m.series.clear()
}

func (m *metrics) observe(r *storage.Record) {
	s := m.of(r)
	s.requests.Inc()
	s.duration.Observe(r.Duration.Seconds())
	if r.Stream && r.FirstByte > 0 {
		s.firstToken().Observe(r.FirstByte.Seconds())
	}
	if r.Outcome == storage.OutcomeCached {
		m.cacheHits.Inc()
	}
	if len(r.Attempts) > 0 {
		m.overhead.Observe(r.Overhead.Seconds())
	}
	if len(r.Usage.Lines) > 0 {
		total := r.Usage.Total()
		s.inputTokens().Observe(float64(total.Input()))
		s.outputTokens().Observe(float64(total.Output))
	}
	switch {
	case r.CostNano != nil:
		if *r.CostNano > 0 {
			s.cost().Add(float64(*r.CostNano) / 1e9)
		}
	case served(r):
		m.unpriced.Inc()
	}
	for i := range r.Attempts {
		m.try(&r.Attempts[i]).Inc()
	}
}

// served tells requests that an upstream worked on, wholly or in part.
func served(r *storage.Record) bool {
	if len(r.Attempts) == 0 { // the gateway's own answer, such as the list of models
		return false
	}
	return r.Outcome == storage.OutcomeOK || r.ContentBytes > 0 || len(r.Usage.Lines) > 0
}

// of finds the children for a record.
func (m *metrics) of(r *storage.Record) *series {
	key := seriesKey{r.Provider, r.Model, r.Op, r.Status, r.Outcome}
	if s, ok := m.series.get(key); ok {
		return s
	}
	// What a client named is no key: there is no end of it.
	if key.provider == "" {
		key.provider, key.model = none, other
	} else if !m.known(key.provider, key.model) {
		key.model = other
	}
	if s, ok := m.series.get(key); ok {
		return s
	}
	key.provider, key.model = strings.Clone(key.provider), strings.Clone(key.model)
	if s, ok := m.series.put(key, func() *series { return m.build(key) }); ok {
		return s
	}
	return m.rest()
}

func (m *metrics) build(key seriesKey) *series {
	op, failure := key.op.String(), string(key.outcome)
	if key.outcome == storage.OutcomeOK || key.outcome == storage.OutcomeCached {
		failure = ""
	}
	tokens := func(kind string) func() prometheus.Observer {
		return sync.OnceValue(func() prometheus.Observer {
			return m.tokens.WithLabelValues(op, key.provider, key.model, kind)
		})
	}
	return &series{
		requests: m.requests.WithLabelValues(key.provider, key.model, statusLabel(key.status)),
		duration: m.duration.WithLabelValues(op, key.provider, key.model, failure),
		firstToken: sync.OnceValue(func() prometheus.Observer {
			return m.firstToken.WithLabelValues(op, key.provider, key.model)
		}),
		inputTokens: tokens("input"), outputTokens: tokens("output"),
		cost: sync.OnceValue(func() prometheus.Counter {
			return m.cost.WithLabelValues(key.provider, key.model)
		}),
	}
}

func statusLabel(status int) string {
	if status < 100 || status > 599 {
		return other
	}
	return strconv.Itoa(status)
}

func (m *metrics) try(a *storage.Attempt) prometheus.Counter {
	key := tryKey{a.Provider, a.Outcome}
	if c, ok := m.tries.get(key); ok {
		return c
	}
	key.provider = strings.Clone(key.provider)
	c, ok := m.tries.put(key, func() prometheus.Counter {
		return m.attempts.WithLabelValues(key.provider, string(key.outcome))
	})
	if !ok {
		return m.restOf()
	}
	return c
}
