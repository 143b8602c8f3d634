package boards

const (
	here = `job="aistrale",instance="a"`
	asks = `,provider="up",model="m"`
)

var (
	job  = map[string]string{"job": "aistrale"}
	node = map[string]string{"job": "aistrale", "instance": "a"}
)

// with gives labels and more, as name, value.
func with(labels map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	for k, v := range labels {
		all[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// counted is a trial of a counter that must stand still: it fires where it rose in the last hour,
// and where a process that began in it has counted.
func counted(name, summary string) trial {
	return trial{
		at:    "90m",
		fires: []string{name + `{` + here + `} 0x80 3x60`, name + `{job="aistrale",instance="new"} _x80 3x60`},
		quiet: []string{name + `{` + here + `} 0x150`, name + `{job="aistrale",instance="long ago"} 3x150`, name + `{job="aistrale",instance="again"} 3x60 0x60`},
		says:  []said{{labels: node, summary: "a" + summary}, {labels: with(job, "instance", "new"), summary: "new" + summary}},
	}
}

// level is a trial of a gauge that is too high or too low for half an hour.
func level(name, bad, good string, says said) trial {
	return trial{at: "40m", fires: []string{name + " " + bad + "x60"}, quiet: []string{name + " " + good + "x60"}, says: []said{says}}
}

func trials() map[string]trial {
	all := trialsOfRequests()
	for _, more := range []map[string]trial{trialsOfProviders(), trialsOfLimits(), trialsOfTheGateway(), trialsOfCertificates()} {
		for name, tr := range more {
			all[name] = tr
		}
	}
	return all
}

func trialsOfRequests() map[string]trial {
	requests := func(job, status, values string) string {
		return `aistrale_requests_total{job="` + job + `",instance="a"` + asks + `,status="` + status + `"} ` + values
	}
	overhead := func(le, values string) string {
		return `aistrale_overhead_seconds_bucket{` + here + `,le="` + le + `"} ` + values
	}
	return map[string]trial{
		"AistraleErrorsFast": {
			at:    "2h",
			fires: []string{requests("aistrale", "200", "0+90x120"), requests("aistrale", "502", "0+10x120")},
			quiet: []string{
				requests("few", "200", "0+95x120"), requests("few", "502", "0+5x120"),
				requests("over", "200", "0+90x120"), requests("over", "502", "0+10x100 1000x20"),
				requests("new", "200", "0+90x120"), requests("new", "502", "0x115 0+20x5"),
				requests("left", "200", "0+90x120"), requests("left", "499", "0+90x120"),
				requests("rare", "502", "0x80 1x30 2x30"),
			},
			says: []said{{labels: job, summary: "10% of requests fail"}},
		},
		"AistraleErrorsSlow": {
			at:    "2h",
			fires: []string{requests("aistrale", "200", "0+95x120"), requests("aistrale", "500", "0+5x120")},
			quiet: []string{requests("few", "200", "0+98x120"), requests("few", "500", "0+2x120"), requests("over", "200", "0+90x120"), requests("over", "500", "0+10x80 800x60")},
			says:  []said{{labels: job, summary: "5% of requests fail, for hours"}},
		},
		"AistralePanics": counted("aistrale_panics_total", " met a defect of its own"),
		"AistraleOverheadHigh": {
			at:    "40m",
			fires: []string{overhead("0.01", "0+50x60"), overhead("0.1", "0+100x60"), overhead("+Inf", "0+100x60")},
			quiet: []string{overhead("0.01", "0+100x60"), overhead("0.1", "0+100x60"), overhead("+Inf", "0+100x60")},
			says:  []said{{labels: job, summary: "The gateway itself takes 98.2ms of a request"}},
		},
		"AistraleUnpriced": {
			at:    "90m",
			fires: []string{`aistrale_unpriced_requests_total{` + here + `} _x60 4x60`},
			quiet: []string{`aistrale_unpriced_requests_total{` + here + `} 4x120`},
			says: []said{{labels: job, summary: "Requests are served whose price is unknown",
				description: "4 requests of the last hour have no cost. Sums of costs and budgets of money leave them out."}},
		},
	}
}

func trialsOfProviders() map[string]trial {
	attempts := func(provider, outcome, values string) string {
		return `aistrale_upstream_attempts_total{` + here + `,provider="` + provider + `",outcome="` + outcome + `"} ` + values
	}
	first := func(provider, le, values string) string {
		return `gen_ai_server_time_to_first_token_seconds_bucket{` + here + `,gen_ai_operation_name="chat",gen_ai_request_model="m",gen_ai_provider_name="` + provider + `",le="` + le + `"} ` + values
	}
	const credential = `aistrale_credential_state{` + here + `,provider="up",credential="main"}`
	return map[string]trial{
		"AistraleProviderFailing": {
			at:    "40m",
			fires: []string{attempts("up", "ok", "0+6x60"), attempts("up", "upstream_error", "0+3x60"), attempts("up", "timeout", "0+3x60")},
			quiet: []string{
				attempts("up", "ok", "0+9x60"), attempts("up", "upstream_error", "0+1x60"), attempts("seldom", "upstream_error", "0+1x60"),
				attempts("left", "client_gone", "0+9x60"), attempts("left", "hedged", "0+9x60"),
			},
			says: []said{{labels: with(job, "provider", "up"), summary: "50% of attempts at up fail"}},
		},
		"AistraleProviderSlow": {
			at:    "40m",
			fires: []string{first("up", "10", "0x60"), first("up", "20", "0+9x60"), first("up", "+Inf", "0+9x60")},
			quiet: []string{first("up", "10", "0+9x60"), first("up", "20", "0+9x60"), first("up", "+Inf", "0+9x60")},
			says:  []said{{labels: with(job, "gen_ai_provider_name", "up"), summary: "up takes 19.5s to begin an answer"}},
		},
		"AistraleBreakerOpen": level(`aistrale_breaker_state{`+here+`,provider="up"}`, "2", "1",
			said{labels: with(job, "provider", "up"), summary: "A circuit of up is open"}),
		"AistraleCredentialFailing": level(credential, "1", "0", said{
			labels: with(job, "provider", "up", "credential", "main"), summary: "The credential main of up does not work",
			description: "The provider refuses it (1), or it is missing or cannot be opened (2). It stands at 1.",
		}),
	}
}

func trialsOfLimits() map[string]trial {
	budget := func(what, scope, values string) string {
		return `aistrale_budget_` + what + `_usd{` + here + `,scope="` + scope + `",per="month"} ` + values
	}
	cost := func(job, values string) string {
		return `aistrale_cost_usd_total{job="` + job + `",instance="a"` + asks + `} ` + values
	}
	requests := func(job, status, values string) string {
		return `aistrale_requests_total{job="` + job + `",instance="a"` + asks + `,status="` + status + `"} ` + values
	}
	ci := with(job, "scope", "key/ci", "per", "month")
	return map[string]trial{
		"AistraleBudget80": {
			at:    "5m",
			fires: []string{budget("limit", "key/ci", "50x10"), budget("spent", "key/ci", "42x10")},
			quiet: []string{budget("limit", "key/ci", "50x10"), budget("spent", "key/ci", "39x10"), budget("limit", "gone", "50x10"), budget("spent", "gone", "51x10")},
			says:  []said{{labels: ci, summary: "84% of the budget of key/ci (month) is spent"}},
		},
		"AistraleBudgetSpent": {
			at:    "5m",
			fires: []string{budget("limit", "key/ci", "50x10"), budget("spent", "key/ci", "50x10")},
			quiet: []string{budget("limit", "key/ci", "50x10"), budget("spent", "key/ci", "49.9x10")},
			says:  []said{{labels: ci, summary: "The budget of key/ci (month) is spent"}},
		},
		"AistraleCostJump": {
			at: "25h30m", every: "10m",
			fires: []string{cost("aistrale", "0+0.1x144 15.5+1x12")},
			quiet: []string{cost("even", "0+1x156"), cost("cents", "0+0.001x144 0.2+0.05x12")},
			says:  []said{{labels: job, summary: "An hour costs 9.4 times what it did"}},
		},
		"AistraleRefusals": {
			at:    "40m",
			fires: []string{requests("aistrale", "429", "0+50x60"), requests("aistrale", "200", "0+50x60")},
			quiet: []string{requests("aistrale", "429", "0+10x60"), requests("aistrale", "200", "0+90x60")},
			says:  []said{{labels: job, summary: "50% of requests get a 429"}},
		},
		"AistraleLimitsDegraded": {
			at:    "40m",
			fires: []string{`aistrale_limits_degraded_requests_total{` + here + `} 0+6x60`},
			quiet: []string{`aistrale_limits_degraded_requests_total{` + here + `} 0+6x25 150x60`},
			says: []said{{labels: node, summary: "a keeps limits and budgets by itself",
				description: "Redis did not answer for 30 requests of the last five minutes, so that storage.redis_mode decided."}},
		},
		"AistraleSettlementsWait": {
			at:    "40m",
			fires: []string{`aistrale_limits_unsettled{` + here + `} 2000x60`},
			quiet: []string{`aistrale_limits_unsettled{` + here + `} 500x60`, `aistrale_limits_unsettled{job="aistrale",instance="burst"} 0x33 5000x5 0x20`},
			says:  []said{{labels: node, summary: "2000 settlements of a wait for the shared counters"}},
		},
		"AistraleSettlementsLost": counted("aistrale_limits_dropped_total", " did not tell the shared counters of settlements"),
	}
}

func trialsOfTheGateway() map[string]trial {
	pool := func(what, more, values string) string {
		return `aistrale_store_` + what + `{` + here + `,store="postgres",pool="nouns"` + more + `} ` + values
	}
	const up, build, started = `up{`, `aistrale_build_info{`, `process_start_time_seconds{`
	all := map[string]trial{
		"AistraleLedgerLost":        counted("aistrale_ledger_lost_total", " lost records of the ledger"),
		"AistraleEventsDropped":     counted("aistrale_events_dropped_total", " dropped events for webhooks"),
		"AistraleLogDropped":        counted("aistrale_log_dropped_total", " dropped lines of the request log"),
		"AistralePayloadsDropped":   counted("aistrale_payloads_dropped_total", " did not keep payloads that it was to keep"),
		"AistraleCacheDropped":      counted("aistrale_cache_dropped_total", " did not keep answers in the cache"),
		"AistraleAuditExportBehind": level(`aistrale_audit_export_lag_records{`+here+`}`, "500", "50", said{labels: job, summary: "An export of the audit log lacks 500 records"}),
		"AistraleWebhooksBehind":    level(`aistrale_webhook_lag_seconds{`+here+`}`, "900", "60", said{labels: job, summary: "A delivery to a webhook is 15m 0s late"}),
		"AistraleSpansDropped":      counted("aistrale_spans_dropped_total", " dropped spans of its traces"),
		"AistraleLogUnsent":         counted("aistrale_log_lines_unsent_total", " did not send lines of its log"),
		"AistraleJournalFailing":    level(`aistrale_journal_failing{`+here+`}`, "1", "0", said{labels: node, summary: "The disk of a takes no records"}),
		"AistralePoolFull": {
			at:    "40m",
			fires: []string{pool("connections", `,state="in_use"`, "19x60"), pool("connections", `,state="idle"`, "0x60"), pool("connections_limit", "", "20x60")},
			quiet: []string{pool("connections", `,state="in_use"`, "9x60"), pool("connections", `,state="idle"`, "11x60"), pool("connections_limit", "", "20x60")},
			says:  []said{{labels: with(node, "store", "postgres", "pool", "nouns"), summary: "a uses 95% of its connections to postgres (nouns)"}},
		},
		"AistraleStoreDown": level(`aistrale_store_up{`+here+`,store="postgres"}`, "0", "1",
			said{labels: with(node, "store", "postgres"), summary: "postgres does not answer a"}),
		"AistraleConfigReloadFailed": level(`aistrale_config_last_reload_success{`+here+`}`, "0", "1", said{labels: node, summary: "a runs on its old configuration"}),
		"AistraleLedgerLag": {
			at:    "40m",
			fires: []string{`aistrale_ledger_lag_records{` + here + `} 9000x60`},
			quiet: []string{`aistrale_ledger_lag_records{` + here + `} 400x60`, `aistrale_ledger_lag_records{job="aistrale",instance="burst"} 0x30 9000x5 0x20`},
			says:  []said{{labels: node, summary: "9000 records of a are not in the ledger yet"}},
		},
		"AistraleDown": {
			at:    "10m",
			fires: []string{up + here + `} 1x5 0x10`, up + `job="aistrale",instance="b"} 1x20`},
			quiet: []string{up + here + `} 1x20`, up + `job="other",instance="b"} 0x20`, up + `job="aistrale",instance="blink"} 1x8 0x1 1x10`},
			says:  []said{{labels: node, summary: "a does not answer Prometheus"}},
		},
		"AistraleGone": {
			at:    "10m",
			fires: []string{up + here + `} 1x5 0x10`, up + `job="other",instance="b"} 1x20`},
			quiet: []string{up + here + `} 0x20`, up + `job="aistrale",instance="b"} 1x20`},
			says:  []said{{labels: map[string]string{}, summary: "No gateway answers Prometheus"}},
		},
		"AistraleRestarts": {
			at:    "20m",
			fires: []string{started + here + `} 100x4 200x4 300x4 400x9`},
			quiet: []string{started + here + `} 100x9 200x20`},
			says:  []said{{labels: node, summary: "a began 3 times anew in half an hour"}},
		},
		"AistraleFilesNearLimit": {
			at:    "20m",
			fires: []string{`process_open_fds{` + here + `} 900x30`, `process_max_fds{` + here + `} 1000x30`},
			quiet: []string{`process_open_fds{` + here + `} 700x30`, `process_max_fds{` + here + `} 1000x30`},
			says:  []said{{labels: node, summary: "a has 90% of the files open that it may"}},
		},
		"AistraleVersionsDiffer": {
			at:    "90m",
			fires: []string{build + here + `,version="1.0",revision="x",go_version="go1.26"} 1x100`, build + `job="aistrale",instance="b",version="1.1",revision="y",go_version="go1.26"} 1x100`},
			quiet: []string{build + here + `,version="1.0",revision="x",go_version="go1.26"} 1x70`, build + `job="aistrale",instance="b",version="1.1",revision="y",go_version="go1.26"} _x60 1x100`},
			says:  []said{{labels: job, summary: "2 versions run beside each other"}},
		},
	}
	return all
}

func trialsOfCertificates() map[string]trial {
	ends := func(instance, at string) string {
		return `aistrale_certificate_not_after_seconds{job="aistrale",instance="` + instance + `",listener="gateway"} ` + at + "x60"
	}
	const refused = `aistrale_certificate_reloads_failed_total{`
	at := with(node, "listener", "gateway")
	return map[string]trial{
		"AistraleCertificateExpires": {
			at:    "40m",
			fires: []string{ends("a", "1000000"), ends("long", "3000000")},
			quiet: []string{ends("a", "3000000"), ends("soon", "100000")},
			says:  []said{{labels: at, summary: "The certificate of a's gateway expires in 11d 13h 6m 40s"}},
		},
		"AistraleCertificateExpiresSoon": {
			at:    "40m",
			fires: []string{ends("a", "100000"), ends("b", "1200")},
			quiet: []string{ends("a", "1000000")},
			says: []said{
				{labels: at, summary: "The certificate of a's gateway expires in 1d 3h 6m 40s"},
				{labels: with(at, "instance", "b"), summary: "The certificate of b's gateway expires in -20m 0s"},
			},
		},
		"AistraleCertificateRefused": {
			at:    "90m",
			fires: []string{refused + here + `,listener="gateway"} 0x80 1x60`},
			quiet: []string{refused + here + `,listener="gateway"} 1x150`},
			says:  []said{{labels: at, summary: "a did not take the new certificate of its gateway"}},
		},
	}
}
