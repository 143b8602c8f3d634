package boards

func gatewayAlerts() []Alert {
	gateway := is("job", "aistrale")
	return []Alert{
		{
			Name: "AistraleDown", Severity: warning, For: "2m",
			Query:       equals(metric("up", gateway), 0),
			Summary:     "{{ $labels.instance }} does not answer Prometheus",
			Description: "The process is gone, hangs, or its control plane cannot be reached.",
		},
		{
			Name: "AistraleGone", Severity: critical, For: "1m",
			Query:       absent(equals(metric("up", gateway), 1)),
			Summary:     "No gateway answers Prometheus",
			Description: "All are gone, or Prometheus cannot reach one of them or has none configured.",
		},
		{
			Name: "AistraleStoreDown", Severity: critical, For: "2m",
			Query:       equals(metric("aistrale_store_up"), 0),
			Summary:     "{{ $labels.store }} does not answer {{ $labels.instance }}",
			Description: "Requests are served on. Keys stay in force as they were last known; changes come late or not at all.",
		},
		{
			Name: "AistralePoolFull", Severity: warning, For: "10m",
			Query: above(over(
				metric("aistrale_store_connections", is("state", "in_use")).without("state"), metric("aistrale_store_connections_limit"),
			), 0.9),
			Summary:     "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its connections to {{ $labels.store }} ({{ $labels.pool }})",
			Description: "The server is slow, or asked too much. Questions wait for a connection.",
		},
		{
			Name: "AistraleConfigReloadFailed", Severity: warning, For: "5m",
			Query:       equals(metric("aistrale_config_last_reload_success"), 0),
			Summary:     "{{ $labels.instance }} runs on its old configuration",
			Description: "The new one is at fault, so that the last good one stays in force. The log names the line.",
		},
		{
			Name: "AistraleRestarts", Severity: warning,
			Query:       above(changes(metric("process_start_time_seconds", gateway), "30m"), 2),
			Summary:     "{{ $labels.instance }} began {{ $value }} times anew in half an hour",
			Description: "It ends by itself, or is killed: for its memory, or for probes that fail.",
		},
		{
			Name: "AistraleFilesNearLimit", Severity: warning, For: "5m",
			Query:       above(over(metric("process_open_fds", gateway), metric("process_max_fds", gateway)), 0.8),
			Summary:     "{{ $labels.instance }} has {{ $value | humanizePercentage }} of the files open that it may",
			Description: "Each connection of a client and to a provider is one. At the limit new ones are refused.",
		},
		{
			Name: "AistraleVersionsDiffer", Severity: info, For: "1h",
			Query:       above(count(count(metric("aistrale_build_info"), "job", "version", "revision"), "job"), 1),
			Summary:     "{{ $value }} versions run beside each other",
			Description: "A rolling upgrade takes minutes. This one did not come to its end.",
		},
	}
}

// droppedAlerts are for what was to be kept or told and was not.
func droppedAlerts() []Alert {
	return []Alert{
		{
			Name: "AistraleEventsDropped", Severity: warning,
			Query:       grew(metric("aistrale_events_dropped_total"), "1h"),
			Summary:     "{{ $labels.instance }} dropped events for webhooks",
			Description: "The line of webhooks was full, or the store was away. Whoever waits for these events is not told.",
		},
		{
			Name: "AistraleWebhooksBehind", Severity: warning, For: "5m",
			Query:       above(most(metric("aistrale_webhook_lag_seconds"), "job"), 600),
			Summary:     "A delivery to a webhook is {{ $value | humanizeDuration }} late",
			Description: "Deliveries that are due wait: there are too many, or no gateway sends them. Those that a receiver refused are due later, and not among them.",
		},
		{
			Name: "AistraleSpansDropped", Severity: info,
			Query:       grew(metric("aistrale_spans_dropped_total"), "1h"),
			Summary:     "{{ $labels.instance }} dropped spans of its traces",
			Description: "The collector of traces is away or too slow. No request waits for it.",
		},
		{
			Name: "AistraleLogUnsent", Severity: warning,
			Query:       grew(metric("aistrale_log_lines_unsent_total"), "1h"),
			Summary:     "{{ $labels.instance }} did not send lines of its log",
			Description: "The collector of logs is away or too slow. The lines are on the gateway's standard output.",
		},
		{
			Name: "AistraleLogDropped", Severity: warning,
			Query:       grew(metric("aistrale_log_dropped_total"), "1h"),
			Summary:     "{{ $labels.instance }} dropped lines of the request log",
			Description: "What reads the gateway's standard output is too slow. The ledger and the metrics have the requests.",
		},
		{
			Name: "AistralePayloadsDropped", Severity: warning,
			Query:       grew(metric("aistrale_payloads_dropped_total"), "1h"),
			Summary:     "{{ $labels.instance }} did not keep payloads that it was to keep",
			Description: "There were too many at once, one could not be redacted, or the store was away.",
		},
		{
			Name: "AistraleCacheDropped", Severity: info,
			Query:       grew(metric("aistrale_cache_dropped_total"), "1h"),
			Summary:     "{{ $labels.instance }} did not keep answers in the cache",
			Description: "There were too many at once, or Redis was away. The same calls are paid for again.",
		},
	}
}
