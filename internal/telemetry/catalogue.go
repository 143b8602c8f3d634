package telemetry

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Buckets begin as the GenAI semantic conventions give them, and go on to what their authors did
// not think of: calls of ten minutes, models that think for minutes, and those that say a
// thousand tokens a second.
var (
	durationBuckets   = prometheus.ExponentialBuckets(0.01, 2, 17)
	firstTokenBuckets = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 320}
	tokenBuckets      = prometheus.ExponentialBuckets(1, 4, 14)
	overheadBuckets   = []float64{5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 1}
)

// Labels that several metrics have.
var (
	provider  = Label{Name: "provider", From: FromProviders}
	model     = Label{Name: "model", From: FromModels}
	operation = Label{Name: "gen_ai_operation_name", Values: operations()}
	genAI     = []Label{operation, {Name: "gen_ai_provider_name", From: FromProviders}, {Name: "gen_ai_request_model", From: FromModels}}
	outcome   = Label{Name: "outcome", Values: outcomes()}
	budget    = []Label{{Name: "scope", From: FromBudgets}, {Name: "per", Values: []string{"day", "week", "month", "rolling", "total"}}}
	storeLine = Label{Name: "line", Values: []string{"postgres", "redis"}}
)

// Metrics describes all that the gateway exports, in the order of docs/metrics.md.
func Metrics() []Metric {
	return slices.Concat(requestMetrics(), limitMetrics(), ledgerMetrics(), gatewayMetrics(), runtimeMetrics())
}

func requestMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_requests_total", Kind: Counter, Labels: []Label{provider, model, {Name: "status", From: FromStatuses}},
			Help: "Requests by the status the client was given; 499 where it had left."},
		{Name: "gen_ai_server_request_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durationBuckets, Labels: with(genAI, Label{Name: "error_type", Values: failures()}),
			Help: "Time from a request's last byte to the reply's last byte."},
		{Name: "gen_ai_server_time_to_first_token_seconds", Kind: Histogram, Unit: "seconds", Buckets: firstTokenBuckets, Labels: genAI,
			Help: "Time from a request's last byte to the first byte of a streamed reply."},
		{Name: "gen_ai_client_token_usage", Kind: Histogram, Unit: "tokens", Buckets: tokenBuckets, Labels: with(genAI, Label{Name: "gen_ai_token_type", Values: []string{"input", "output"}}),
			Help: "Tokens of a request as the provider counted them; input includes cached tokens."},
		{Name: "aistrale_overhead_seconds", Kind: Histogram, Unit: "seconds", Buckets: overheadBuckets,
			Help: "Time the gateway took from a request's last byte to the first byte sent upstream."},
		{Name: "aistrale_cost_usd_total", Kind: Counter, Unit: "USD", Labels: []Label{provider, model},
			Help: "Known cost in US dollars; requests without a price are not in it."},
		{Name: "aistrale_unpriced_requests_total", Kind: Counter,
			Help: "Served requests whose price is unknown."},
		{Name: "aistrale_upstream_attempts_total", Kind: Counter, Labels: []Label{provider, outcome},
			Help: "Attempts at an upstream."},
		{Name: "aistrale_breaker_state", Kind: Gauge, Labels: []Label{provider},
			Help: "The worst circuit breaker of a provider: 0 closed, 1 half open, 2 open."},
		{Name: "aistrale_credential_state", Kind: Gauge, Labels: []Label{provider, {Name: "credential", From: FromCredentials}},
			Help: "A provider's credential: 0 in use, 1 refused by the provider and set aside, 2 missing or not to be opened."},
		{Name: "aistrale_cache_hits_total", Kind: Counter,
			Help: "Requests answered with what an earlier one was."},
		{Name: "aistrale_cache_dropped_total", Kind: Counter,
			Help: "Answers that were to be kept and were not: too many at once, or Redis was away."},
		{Name: "aistrale_payloads_dropped_total", Kind: Counter,
			Help: "Requests whose payload was to be kept and was not: too many at once, not to be redacted, or no store."},
		{Name: "aistrale_open_streams", Kind: Gauge,
			Help: "Streams under way."},
		{Name: "aistrale_open_requests", Kind: Gauge,
			Help: "Requests under way, streams among them."},
	}
}

func limitMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_limits_unsettled", Kind: Gauge,
			Help: "Settlements that the shared counters of limits still wait for."},
		{Name: "aistrale_limits_dropped_total", Kind: Counter,
			Help: "Settlements that the shared counters of limits were never told. Must stay 0."},
		{Name: "aistrale_budget_remaining_usd", Kind: Gauge, Unit: "USD", Labels: budget, Only: "budgets of money",
			Help: "What a budget still pays for in its span: the limit without what was spent and what is reserved."},
		{Name: "aistrale_budget_limit_usd", Kind: Gauge, Unit: "USD", Labels: budget, Only: "budgets of money",
			Help: "How much a budget pays for in its span."},
		{Name: "aistrale_budget_spent_usd", Kind: Gauge, Unit: "USD", Labels: budget, Only: "budgets of money",
			Help: "What was spent of a budget in its span."},
		{Name: "aistrale_budget_reserved_usd", Kind: Gauge, Unit: "USD", Labels: budget, Only: "budgets of money",
			Help: "What requests under way have reserved of a budget."},
	}
}

func ledgerMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_ledger_lag_records", Kind: Gauge,
			Help: "Settled records that are in a journal and not yet in the ledger."},
		{Name: "aistrale_ledger_lost_total", Kind: Counter,
			Help: "Records that the ledger could not keep. Must stay 0."},
	}
}

func gatewayMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_build_info", Kind: Gauge, Labels: []Label{{Name: "version", From: FromBuild}, {Name: "revision", From: FromBuild}, {Name: "go_version", From: FromBuild}},
			Help: "The build that runs; always 1."},
		{Name: "aistrale_config_last_reload_success", Kind: Gauge,
			Help: "1 where the last load of the configuration was good."},
		{Name: "aistrale_config_last_reload_success_timestamp_seconds", Kind: Gauge, Unit: "seconds",
			Help: "When the configuration in use was loaded."},
		{Name: "aistrale_store_changes_total", Kind: Counter, Labels: []Label{{Name: "how", Values: []string{"told", "looked"}}},
			Help: "Changes of the store that came into force: told of by a server or the gateway's own control plane, or looked for."},
		{Name: "aistrale_store_line_up", Kind: Gauge, Labels: []Label{storeLine}, Only: "storage.postgres",
			Help: "1 where a server tells of changes of the store at once; else they are looked for."},
		{Name: "aistrale_store_line_connects_total", Kind: Counter, Labels: []Label{storeLine}, Only: "storage.postgres",
			Help: "Times that such a line came to stand."},
		{Name: "aistrale_store_unrung_total", Kind: Counter,
			Help: "Changes of the store that Redis could not tell the other gateways of; they look for them."},
		{Name: "aistrale_events_dropped_total", Kind: Counter,
			Help: "Events that webhooks were to be told of and were not: too many at once, or the store was away."},
		{Name: "aistrale_audit_export_lag_records", Kind: Gauge,
			Help: "Records of the audit log that the export furthest behind lacks."},
		{Name: "aistrale_log_dropped_total", Kind: Counter,
			Help: "Request log lines dropped because the log's taker is too slow."},
	}
}

// with gives labels and one more.
func with(labels []Label, more Label) []Label { return append(slices.Clone(labels), more) }
