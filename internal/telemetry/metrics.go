package telemetry

import (
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
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

// Buckets as the GenAI semantic conventions give them.
var (
	durationBuckets   = prometheus.ExponentialBuckets(0.01, 2, 14)
	firstTokenBuckets = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	tokenBuckets      = prometheus.ExponentialBuckets(1, 4, 14)
	overheadBuckets   = []float64{5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 1}
)

type metrics struct {
	known    func(provider, model string) bool
	registry *prometheus.Registry
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
	breaker, lineUp              *prometheus.GaugeVec
	storeChanges, lineUps        *prometheus.CounterVec
}

// scalars are the metrics without labels, which stand at 0 from the start.
type scalars struct {
	overhead                         prometheus.Histogram
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
	m := &metrics{
		known: o.Known, registry: prometheus.NewRegistry(), vectors: newVectors(), scalars: newScalars(),
		series: newMemo[seriesKey, *series](maxSeries), tries: newMemo[tryKey, prometheus.Counter](maxTries),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "aistrale_build_info", Help: "The build that runs; always 1.",
		ConstLabels: prometheus.Labels{"version": o.Version, "revision": o.Revision, "go_version": runtime.Version()},
	})
	build.Set(1)
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "aistrale_ledger_lag_records", Help: "Settled records that are in a journal and not yet in the ledger.",
	}, func() float64 { return float64(o.Lag()) })
	unsettled := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "aistrale_limits_unsettled", Help: "Settlements that the shared counters of limits still wait for.",
	}, func() float64 { waiting, _ := o.Unsettled(); return float64(waiting) })
	dropped := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "aistrale_limits_dropped_total", Help: "Settlements that the shared counters of limits were never told. Must stay 0.",
	}, func() float64 { _, dropped := o.Unsettled(); return float64(dropped) })
	uncached := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "aistrale_cache_dropped_total", Help: "Answers that were to be kept and were not: too many at once, or Redis was away.",
	}, func() float64 { return float64(o.Uncached()) })
	untold := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "aistrale_events_dropped_total", Help: "Events that webhooks were to be told of and were not: too many at once, or the store was away.",
	}, func() float64 { return float64(o.Untold()) })
	unrung := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "aistrale_store_unrung_total", Help: "Changes of the store that Redis could not tell the other gateways of; they look for them.",
	}, func() float64 { return float64(o.Unrung()) })
	unaudited := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "aistrale_audit_export_lag_records", Help: "Records of the audit log that the export furthest behind lacks.",
	}, func() float64 { return float64(o.Unaudited()) })
	unkept := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "aistrale_payloads_dropped_total", Help: "Requests whose payload was to be kept and was not: too many at once, not to be redacted, or no store.",
	}, func() float64 { return float64(o.Unkept()) })
	m.reloadOK.Set(1)
	m.reloadAt.SetToCurrentTime()
	m.registry.MustRegister(
		m.duration, m.firstToken, m.tokens, m.requests, m.attempts, m.cost, m.breaker,
		m.overhead, m.unpriced, m.cacheHits, m.ledgerLost, m.logDropped, m.openStreams, m.reloadOK, m.reloadAt, build, lag, unsettled, dropped, uncached, unkept, untold, unrung, unaudited, m.storeChanges, m.lineUp, m.lineUps, newBudgets(o.Budgets),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.rest = sync.OnceValue(func() *series { return m.build(seriesKey{provider: other, model: other, outcome: other}) })
	m.restOf = sync.OnceValue(func() prometheus.Counter { return m.attempts.WithLabelValues(other, other) })
	// A request that reached no provider costs nothing, so this 0 is true; it makes the name
	// stand from the start, while a model without a price has no cost at all, rather than 0.
	m.cost.WithLabelValues(none, other)
	return m
}

func newVectors() vectors {
	genAI := []string{"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"}
	timed := append(genAI[:3:3], "error_type")
	return vectors{
		duration: histogram("gen_ai_server_request_duration_seconds",
			"Time from a request's last byte to the reply's last byte.", durationBuckets, timed),
		firstToken: histogram("gen_ai_server_time_to_first_token_seconds",
			"Time from a request's last byte to the first byte of a streamed reply.", firstTokenBuckets, genAI),
		tokens: histogram("gen_ai_client_token_usage",
			"Tokens of a request as the provider counted them; input includes cached tokens.", tokenBuckets,
			append(genAI[:3:3], "gen_ai_token_type")),
		requests: counter("aistrale_requests_total", "Requests by the status the client was given; 499 where it had left.",
			"provider", "model", "status"),
		attempts: counter("aistrale_upstream_attempts_total", "Attempts at an upstream.", "provider", "outcome"),
		cost:     counter("aistrale_cost_usd_total", "Known cost in US dollars; requests without a price are not in it.", "provider", "model"),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "aistrale_breaker_state", Help: "Circuit breaker: 0 closed, 1 half open, 2 open.",
		}, []string{"provider"}),
		storeChanges: counter("aistrale_store_changes_total", "Changes of the store that came into force: told of by a server or the gateway's own control plane, or looked for.", "how"),
		lineUp: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "aistrale_store_line_up", Help: "1 where a server tells of changes of the store at once; else they are looked for.",
		}, []string{"line"}),
		lineUps: counter("aistrale_store_line_connects_total", "Times that such a line came to stand.", "line"),
	}
}

func newScalars() scalars {
	plain := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	return scalars{
		overhead: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aistrale_overhead_seconds", Buckets: overheadBuckets,
			Help: "Time the gateway took from a request's last byte to the first byte sent upstream.",
		}),
		unpriced:    plain("aistrale_unpriced_requests_total", "Served requests whose price is unknown."),
		cacheHits:   plain("aistrale_cache_hits_total", "Requests answered with what an earlier one was."),
		ledgerLost:  plain("aistrale_ledger_lost_total", "Records that the ledger could not keep. Must stay 0."),
		logDropped:  plain("aistrale_log_dropped_total", "Request log lines dropped because the log's taker is too slow."),
		openStreams: gauge("aistrale_open_streams", "Streams under way."),
		reloadOK:    gauge("aistrale_config_last_reload_success", "1 where the last load of the configuration was good."),
		reloadAt:    gauge("aistrale_config_last_reload_success_timestamp_seconds", "When the configuration in use was loaded."),
	}
}

func histogram(name, help string, buckets []float64, labels []string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
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
