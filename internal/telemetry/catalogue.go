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
	perTokenBuckets   = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5}
	tokenBuckets      = prometheus.ExponentialBuckets(1, 4, 14)
	overheadBuckets   = []float64{5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 0.1, 1}
	waitBuckets       = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120}
	fsyncBuckets      = prometheus.ExponentialBuckets(1e-4, 2.5, 12)
)

// Labels that several metrics have.
var (
	provider  = Label{Name: "provider", From: FromProviders}
	model     = Label{Name: "model", From: FromModels}
	operation = Label{Name: "gen_ai_operation_name", Values: operations()}
	genAI     = []Label{operation, {Name: "gen_ai_provider_name", From: FromProviders}, {Name: "gen_ai_request_model", From: FromModels}}
	outcome   = Label{Name: "outcome", Values: outcomes()}
	failure   = Label{Name: "error_type", Values: failures()}
	budget    = []Label{{Name: "scope", From: FromBudgets}, {Name: "per", Values: []string{"day", "week", "month", "rolling", "total"}}}
	project   = []Label{{Name: "workspace", From: FromTenants}, {Name: "project", From: FromTenants}}
	limit     = Label{Name: "limit", Values: limitNames()}
	pool      = []Label{{Name: "store", Values: []string{"postgres", "redis", "sqlite"}}, {Name: "pool", Values: []string{"bell", "counters", "ledger_read", "ledger_write", "nouns", "nouns_read", "nouns_write", "queries", "replies", "writer"}}}
	listener  = []Label{{Name: "listener", Values: []string{"control_plane", "gateway"}}}
	storeLine = Label{Name: "line", Values: []string{"postgres", "redis"}}
)

// Metrics describes all that the gateway exports, in the order of docs/metrics.md.
func Metrics() []Metric {
	var all []Metric
	for _, g := range groups() {
		all = append(all, g.metrics...)
	}
	return all
}

// group is a section of the page.
type group struct {
	name    string
	metrics []Metric
}

func groups() []group {
	return []group{
		{"Requests", requestMetrics()}, {"Tokens and money", usageMetrics()}, {"Upstreams", upstreamMetrics()}, {"Limits and budgets", limitMetrics()},
		{"Ledger and journal", ledgerMetrics()}, {"Stores", storeMetrics()}, {"The gateway", gatewayMetrics()}, {"The process, by Prometheus' own collectors", runtimeMetrics()},
	}
}

func requestMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_requests_total", Kind: Counter, Labels: []Label{provider, model, {Name: "status", From: FromStatuses}},
			Help: "Requests by the status the client was given; 499 where it had left."},
		{Name: "gen_ai_server_request_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durationBuckets, Labels: with(genAI, failure),
			Help: "Time from a request's head to the reply's last byte."},
		{Name: "gen_ai_server_time_to_first_token_seconds", Kind: Histogram, Unit: "seconds", Buckets: firstTokenBuckets, Labels: genAI,
			Help: "Time from a request's head to the first content of a streamed reply."},
		{Name: "gen_ai_server_time_per_output_token_seconds", Kind: Histogram, Unit: "seconds", Buckets: perTokenBuckets, Labels: genAI,
			Help: "Time for each token of a streamed reply after the first."},
		{Name: "aistrale_overhead_seconds", Kind: Histogram, Unit: "seconds", Buckets: overheadBuckets,
			Help: "Time the gateway took from a request's last byte to the first byte sent upstream."},
		{Name: "aistrale_request_bytes_total", Kind: Counter, Unit: "bytes", Help: "Bytes of requests' bodies that clients sent."},
		{Name: "aistrale_response_bytes_total", Kind: Counter, Unit: "bytes", Help: "Bytes of replies' bodies that clients were sent."},
		{Name: "aistrale_client_aborts_total", Kind: Counter, Help: "Requests whose client left before its reply had ended."},
		{Name: "aistrale_panics_total", Kind: Counter, Help: "Requests on which the gateway failed by a defect of its own. Must stay 0."},
		{Name: "aistrale_cache_hits_total", Kind: Counter, Help: "Requests answered with what an earlier one was."},
		{Name: "aistrale_open_connections", Kind: Gauge, Help: "Connections of clients, idle ones among them."},
		{Name: "aistrale_open_requests", Kind: Gauge, Help: "Requests under way, streams among them."},
		{Name: "aistrale_open_streams", Kind: Gauge, Help: "Streams under way."},
		{Name: "aistrale_body_memory_bytes", Kind: Gauge, Unit: "bytes", Help: "Memory that large bodies, whole answers among them, take now."},
		{Name: "aistrale_body_memory_limit_bytes", Kind: Gauge, Unit: "bytes", Help: "What they may take together (body_memory); past it requests are refused with 503."},
		{Name: "aistrale_upload_disk_bytes", Kind: Gauge, Unit: "bytes", Help: "Disk that uploads take before they are sent on."},
		{Name: "aistrale_upload_disk_limit_bytes", Kind: Gauge, Unit: "bytes", Help: "What they may take together (upload_disk)."},
	}
}

func usageMetrics() []Metric {
	return []Metric{
		{Name: "gen_ai_client_token_usage", Kind: Histogram, Unit: "tokens", Buckets: tokenBuckets, Labels: with(genAI, Label{Name: "gen_ai_token_type", Values: []string{"input", "output"}}),
			Help: "Tokens of a request as the provider counted them; input includes cached tokens."},
		{Name: "aistrale_tokens_total", Kind: Counter, Labels: []Label{provider, model, {Name: "kind", Values: tokenKinds[:]}},
			Help: "Tokens as the provider counted them, each of one kind: the sum of all kinds is all tokens. input is what no cache had, output is without reasoning."},
		{Name: "aistrale_billed_units_total", Kind: Counter, Labels: []Label{provider, model, {Name: "unit", Values: unitNames[:]}}, Only: "media, searches or sounds",
			Help: "What providers bill by that is no token."},
		{Name: "aistrale_cost_usd_total", Kind: Counter, Unit: "USD", Labels: []Label{provider, model},
			Help: "Known cost in US dollars; requests without a price are not in it."},
		{Name: "aistrale_unpriced_requests_total", Kind: Counter, Help: "Served requests whose price is unknown."},
		{Name: "aistrale_project_requests_total", Kind: Counter, Labels: project, Help: "Requests by the project of their key."},
		{Name: "aistrale_project_tokens_total", Kind: Counter, Labels: project, Help: "Tokens, input and output, by the project of the key."},
		{Name: "aistrale_project_cost_usd_total", Kind: Counter, Unit: "USD", Labels: project, Help: "Known cost by the project of the key."},
	}
}

func upstreamMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_upstream_attempts_total", Kind: Counter, Labels: []Label{provider, outcome}, Help: "Attempts at an upstream."},
		{Name: "gen_ai_client_operation_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durationBuckets, Labels: with(genAI, failure),
			Help: "Time of an attempt at an upstream, to the end of its answer."},
		{Name: "gen_ai_client_operation_time_to_first_chunk_seconds", Kind: Histogram, Unit: "seconds", Buckets: firstTokenBuckets, Labels: genAI,
			Help: "Time from an attempt's begin to the first content of its streamed answer."},
		{Name: "aistrale_breaker_state", Kind: Gauge, Labels: []Label{provider},
			Help: "The worst circuit breaker of a provider: 0 closed, 1 half open, 2 open."},
		{Name: "aistrale_credential_state", Kind: Gauge, Labels: []Label{provider, {Name: "credential", From: FromCredentials}},
			Help: "A provider's credential: 0 in use, 1 refused by the provider and set aside, 2 missing or not to be opened."},
	}
}

func limitMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_limit_decisions_total", Kind: Counter, Labels: []Label{limit, {Name: "decision", Values: []string{"admitted", "refused"}}},
			Help: "Requests that a kind of limit was asked for and let through, or refused; one with several targets may be both."},
		{Name: "aistrale_limit_wait_seconds", Kind: Histogram, Unit: "seconds", Buckets: waitBuckets, Help: "How long requests waited for a limit, of those that did."},
		{Name: "aistrale_limit_waiting", Kind: Gauge, Help: "Requests that wait for a limit now."},
		{Name: "aistrale_limits_degraded_requests_total", Kind: Counter, Help: "Requests that this process counted by itself, since the shared counters of limits were out of reach."},
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
		{Name: "aistrale_ledger_lag_records", Kind: Gauge, Help: "Settled records that are in a journal and not yet in the ledger."},
		{Name: "aistrale_ledger_lost_total", Kind: Counter, Help: "Records that the ledger could not keep. Must stay 0."},
		{Name: "aistrale_journal_failing", Kind: Gauge, Only: "journal.store: file", Help: "1 where the journal's disk takes no records."},
		{Name: "aistrale_journal_bytes", Kind: Gauge, Unit: "bytes", Only: "journal.store: file", Help: "Records in this process's journal, those among them that the ledger has and an older one holds back."},
		{Name: "aistrale_journal_fsync_seconds", Kind: Histogram, Unit: "seconds", Buckets: fsyncBuckets, Help: "How long the disk took to make the journal durable."},
		{Name: "aistrale_journal_adopted_total", Kind: Counter, Help: "Records of gateways that died, which this one took over for the ledger."},
	}
}

func storeMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_store_up", Kind: Gauge, Labels: []Label{{Name: "store", Values: []string{"postgres", "redis", "sqlite"}}},
			Help: "1 where a store answered when it was last asked."},
		{Name: "aistrale_store_connections", Kind: Gauge, Labels: with(pool, Label{Name: "state", Values: []string{"idle", "in_use"}}), Help: "Connections of a pool."},
		{Name: "aistrale_store_connections_limit", Kind: Gauge, Labels: pool, Help: "The most connections that a pool may have."},
		{Name: "aistrale_store_pool_waits_total", Kind: Counter, Labels: pool, Help: "Questions that waited for a connection."},
		{Name: "aistrale_store_pool_wait_seconds_total", Kind: Counter, Unit: "seconds", Labels: pool, Help: "How long they waited together."},
		{Name: "aistrale_store_changes_total", Kind: Counter, Labels: []Label{{Name: "how", Values: []string{"told", "looked"}}},
			Help: "Changes of the store that came into force: told of by a server or the gateway's own control plane, or looked for."},
		{Name: "aistrale_store_line_up", Kind: Gauge, Labels: []Label{storeLine}, Only: "storage.postgres",
			Help: "1 where a server tells of changes of the store at once; else they are looked for."},
		{Name: "aistrale_store_line_connects_total", Kind: Counter, Labels: []Label{storeLine}, Only: "storage.postgres", Help: "Times that such a line came to stand."},
		{Name: "aistrale_store_unrung_total", Kind: Counter, Help: "Changes of the store that Redis could not tell the other gateways of; they look for them."},
	}
}

func gatewayMetrics() []Metric {
	return []Metric{
		{Name: "aistrale_build_info", Kind: Gauge, Labels: []Label{{Name: "version", From: FromBuild}, {Name: "revision", From: FromBuild}, {Name: "go_version", From: FromBuild}},
			Help: "The build that runs; always 1."},
		{Name: "aistrale_config_last_reload_success", Kind: Gauge, Help: "1 where the last load of the configuration was good."},
		{Name: "aistrale_config_last_reload_success_timestamp_seconds", Kind: Gauge, Unit: "seconds", Help: "When the configuration in use was loaded."},
		{Name: "aistrale_certificate_not_after_seconds", Kind: Gauge, Unit: "seconds", Labels: listener, Only: "tls or admin_tls",
			Help: "When a listener's certificate, or the first of its chain, expires, in Unix time."},
		{Name: "aistrale_certificate_reloads_failed_total", Kind: Counter, Labels: listener, Only: "tls or admin_tls",
			Help: "Loads of a certificate that were refused, so that the one of before stays in force."},
		{Name: "aistrale_config_reloads_total", Kind: Counter, Labels: []Label{{Name: "result", Values: []string{"ok", "failed"}}}, Help: "Loads of the configuration."},
		{Name: "aistrale_cache_dropped_total", Kind: Counter, Help: "Answers that were to be kept and were not: too many at once, or Redis was away."},
		{Name: "aistrale_payloads_dropped_total", Kind: Counter, Help: "Requests whose payload was to be kept and was not: too many at once, not to be redacted, or no store."},
		{Name: "aistrale_events_dropped_total", Kind: Counter, Help: "Events that webhooks were to be told of and were not: too many at once, or the store was away."},
		{Name: "aistrale_webhook_lag_seconds", Kind: Gauge, Unit: "seconds", Help: "How long the oldest delivery that is due has been."},
		{Name: "aistrale_audit_export_lag_records", Kind: Gauge, Help: "Records of the audit log that the export furthest behind lacks."},
		{Name: "aistrale_log_dropped_total", Kind: Counter, Help: "Request log lines dropped because the log's taker is too slow."},
		{Name: "aistrale_sentry_dropped_total", Kind: Counter, Labels: []Label{{Name: "reason", Values: []string{"rate", "queue", "unsent"}}},
			Help: "Failures of the gateway's own that Sentry was not told of: their cause had its share, too many at once, or it took none."},
		{Name: "aistrale_log_lines_sent_total", Kind: Counter, Help: "Log lines that the collector of otlp_logs has taken."},
		{Name: "aistrale_log_lines_unsent_total", Kind: Counter, Help: "Log lines that the collector of otlp_logs was to get and did not: too many at once, or it took none."},
		{Name: "aistrale_spans_sent_total", Kind: Counter, Help: "Spans that the collector of tracing has taken."},
		{Name: "aistrale_spans_dropped_total", Kind: Counter, Help: "Spans that were to be sent and were not: too many at once, or the collector took none."},
	}
}

// with gives labels and one more.
func with(labels []Label, more Label) []Label { return append(slices.Clone(labels), more) }
