package telemetry

import (
	"net/http"
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aistrale/aistrale/storage"
)

const (
	other = "other" // any model, provider, project or status that nobody configured
	none  = "none"  // the provider, or the project, of a request that was refused before it had one

	maxSeries  = 2048 // combinations of provider, model, operation, status and outcome
	maxTries   = 1024 // combinations of provider, model, operation and outcome
	maxTenants = 512  // projects
)

type metrics struct {
	known    func(provider, model string) bool
	tracer   *Tracer // nil where nothing is traced
	registry *registry
	vectors
	scalars
	limits [storage.LimitKinds]struct{ admitted, refused prometheus.Counter }

	series     *memo[seriesKey, *series]
	tries      *memo[tryKey, *try]
	tenants    *memo[tenantKey, *tenant]
	rest       func() *series // past maxSeries
	restTry    func() *try    // past maxTries
	restTenant func() *tenant // past maxTenants
}

// vectors are the metrics with labels.
type vectors struct {
	duration, firstToken, perToken, tokens   *histograms
	tryDuration, firstChunk                  *histograms
	requests, attempts, cost, kinds, units   *prometheus.CounterVec
	tenantRequests, tenantTokens, tenantCost *prometheus.CounterVec
	lineUp                                   *prometheus.GaugeVec
	storeChanges, lineUps, reloads           *prometheus.CounterVec
}

// scalars are the metrics without labels, which stand at 0 from the start.
type scalars struct {
	overhead, limitWait, fsync             *histogram
	bytesIn, bytesOut, aborts, panics      prometheus.Counter
	unpriced, cacheHits, degraded          prometheus.Counter
	ledgerLost, journalAdopted, logDropped prometheus.Counter
	openStreams, reloadOK, reloadAt        prometheus.Gauge
}

func newMetrics(o Options) *metrics {
	r := newRegistry()
	m := &metrics{
		known: o.Known, tracer: o.Tracer, registry: r, vectors: newVectors(r), scalars: newScalars(r),
		series: newMemo[seriesKey, *series](maxSeries), tries: newMemo[tryKey, *try](maxTries), tenants: newMemo[tenantKey, *tenant](maxTenants),
	}
	decisions := r.counters("aistrale_limit_decisions_total")
	for k := range storage.LimitKinds {
		m.limits[k].admitted = decisions.WithLabelValues(k.String(), "admitted")
		m.limits[k].refused = decisions.WithLabelValues(k.String(), "refused")
	}
	r.gauges("aistrale_build_info").WithLabelValues(o.Version, o.Revision, runtime.Version()).Set(1)
	m.reloadOK.Set(1)
	m.reloadAt.SetToCurrentTime()
	r.readings(o.Read)
	m.rest = sync.OnceValue(func() *series { return m.newSeries(seriesKey{provider: other, model: other, outcome: other}) })
	m.restTry = sync.OnceValue(func() *try { return m.newTry(tryKey{provider: other, model: other, outcome: other}) })
	m.restTenant = sync.OnceValue(func() *tenant { return m.newTenant(tenantKey{other, other}) })
	// A request that reached no provider costs nothing, so this 0 is true; it makes the name
	// stand from the start, while a model without a price has no cost at all, rather than 0.
	m.cost.WithLabelValues(none, other)
	return m
}

func newVectors(r *registry) vectors {
	return vectors{
		duration:       r.histograms("gen_ai_server_request_duration_seconds"),
		firstToken:     r.histograms("gen_ai_server_time_to_first_token_seconds"),
		perToken:       r.histograms("gen_ai_server_time_per_output_token_seconds"),
		tokens:         r.histograms("gen_ai_client_token_usage"),
		tryDuration:    r.histograms("gen_ai_client_operation_duration_seconds"),
		firstChunk:     r.histograms("gen_ai_client_operation_time_to_first_chunk_seconds"),
		requests:       r.counters("aistrale_requests_total"),
		attempts:       r.counters("aistrale_upstream_attempts_total"),
		cost:           r.counters("aistrale_cost_usd_total"),
		kinds:          r.counters("aistrale_tokens_total"),
		units:          r.counters("aistrale_billed_units_total"),
		tenantRequests: r.counters("aistrale_project_requests_total"),
		tenantTokens:   r.counters("aistrale_project_tokens_total"),
		tenantCost:     r.counters("aistrale_project_cost_usd_total"),
		storeChanges:   r.counters("aistrale_store_changes_total"),
		lineUp:         r.gauges("aistrale_store_line_up"),
		lineUps:        r.counters("aistrale_store_line_connects_total"),
		reloads:        r.counters("aistrale_config_reloads_total"),
	}
}

func newScalars(r *registry) scalars {
	plain := func(name string) prometheus.Counter { return r.counters(name).WithLabelValues() }
	return scalars{
		overhead:       r.histograms("aistrale_overhead_seconds").with(),
		limitWait:      r.histograms("aistrale_limit_wait_seconds").with(),
		fsync:          r.histograms("aistrale_journal_fsync_seconds").with(),
		bytesIn:        plain("aistrale_request_bytes_total"),
		bytesOut:       plain("aistrale_response_bytes_total"),
		aborts:         plain("aistrale_client_aborts_total"),
		panics:         plain("aistrale_panics_total"),
		unpriced:       plain("aistrale_unpriced_requests_total"),
		cacheHits:      plain("aistrale_cache_hits_total"),
		degraded:       plain("aistrale_limits_degraded_requests_total"),
		ledgerLost:     plain("aistrale_ledger_lost_total"),
		journalAdopted: plain("aistrale_journal_adopted_total"),
		logDropped:     plain("aistrale_log_dropped_total"),
		openStreams:    r.gauges("aistrale_open_streams").WithLabelValues(),
		reloadOK:       r.gauges("aistrale_config_last_reload_success").WithLabelValues(),
		reloadAt:       r.gauges("aistrale_config_last_reload_success_timestamp_seconds").WithLabelValues(),
	}
}

// handler serves OpenMetrics, which has exemplars, and Prometheus' protocol buffers, which have
// native histograms too, to scrapers that ask for them. What cannot be gathered keeps nothing else
// from being shown.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError})
}

func (m *metrics) reloaded(ok bool) {
	if !ok {
		m.reloads.WithLabelValues("failed").Inc()
		m.reloadOK.Set(0)
		return
	}
	m.reloads.WithLabelValues("ok").Inc()
	m.reloadOK.Set(1)
	m.reloadAt.SetToCurrentTime()
	m.series.clear()
	m.tries.clear()
}

func (m *metrics) observe(record *storage.Record) {
	r := seen{record, m.tracer.wants(record)}
	s := m.of(record)
	s.requests.Inc()
	s.duration.seconds(r.Duration, r)
	m.bytesIn.Add(float64(r.BytesIn))
	m.bytesOut.Add(float64(r.BytesOut))
	switch r.Outcome {
	case storage.OutcomeCached:
		m.cacheHits.Inc()
	case storage.OutcomeClientGone:
		m.aborts.Inc()
	case storage.OutcomePanic:
		m.panics.Inc()
	default:
	}
	if len(r.Attempts) > 0 {
		m.overhead.seconds(r.Overhead, r)
	}
	m.observeLimits(r)
	used := s.observe(r)
	m.observeCost(record, s, used)
	for i := range r.Attempts {
		m.observeTry(r, &r.Attempts[i])
	}
}

func (m *metrics) observeLimits(r seen) {
	if r.Limits == (storage.LimitNote{}) {
		return
	}
	for k := range storage.LimitKinds {
		if r.Limits.Admitted.Has(k) {
			m.limits[k].admitted.Inc()
		}
		if r.Limits.Refused.Has(k) {
			m.limits[k].refused.Inc()
		}
	}
	if r.Limits.Degraded {
		m.degraded.Inc()
	}
	if r.Waited > 0 {
		m.limitWait.seconds(r.Waited, r)
	}
}

func (m *metrics) observeCost(r *storage.Record, s *series, tokens int64) {
	t := m.tenantOf(r)
	t.requests.Inc()
	t.tokens.Add(float64(tokens))
	switch {
	case r.CostNano == nil:
		if served(r) {
			m.unpriced.Inc()
		}
	case *r.CostNano > 0:
		usd := float64(*r.CostNano) / 1e9
		s.cost().Add(usd)
		t.cost.Add(usd)
	}
}

// served tells requests that an upstream worked on, wholly or in part.
func served(r *storage.Record) bool {
	if len(r.Attempts) == 0 { // the gateway's own answer, such as the list of models
		return false
	}
	return r.Outcome == storage.OutcomeOK || r.ContentBytes > 0 || len(r.Usage.Lines) > 0
}
