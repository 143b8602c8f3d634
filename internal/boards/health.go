package boards

// eachGateway sums a metric for each gateway.
func eachGateway(title, about, unit string, q Query) panel {
	return panel{title: title, about: about, kind: lines, unit: unit, width: 8, asks: []ask{{query: sum(q, "instance"), legend: "{{instance}}"}}}
}

func healthBoard() Board {
	return Board{
		name: "health", title: "Gateway health", about: "How the gateways themselves do: their own time, their stores, what they could not keep, and the machine below them.",
		rows: []row{
			{"Gateways", gatewayPanels()},
			{"Clients", []panel{
				eachGateway("Connections", "Of clients, idle ones among them.", "", shown("aistrale_open_connections")),
				eachGateway("Sent to clients", "A second.", "bytes", rate(shown("aistrale_response_bytes_total"), now)),
				{title: "Memory of bodies", about: "Of what large requests may take together; past it they get a 503.", kind: lines, width: 8, unit: "percentunit", asks: []ask{
					{query: over(sum(shown("aistrale_body_memory_bytes"), "instance"), sum(shown("aistrale_body_memory_limit_bytes"), "instance")), legend: "{{instance}}"},
				}},
			}},
			{"Stores", storePanels()},
			{"Not kept", []panel{
				{title: "Dropped", about: "What was to be kept or told and was not.", kind: lines, width: 24, asks: []ask{
					{query: sum(increase(shown("aistrale_log_dropped_total"), now)), legend: "log lines"},
					{query: sum(increase(shown("aistrale_log_lines_unsent_total"), now)), legend: "log lines for the collector"},
					{query: sum(increase(shown("aistrale_spans_dropped_total"), now)), legend: "spans"},
					{query: sum(increase(shown("aistrale_events_dropped_total"), now)), legend: "events for webhooks"},
					{query: sum(increase(shown("aistrale_payloads_dropped_total"), now)), legend: "payloads"},
					{query: sum(increase(shown("aistrale_cache_dropped_total"), now)), legend: "answers for the cache"},
					{query: sum(increase(shown("aistrale_limits_dropped_total"), now)), legend: "settlements of limits"},
					{query: sum(increase(shown("aistrale_store_unrung_total"), now)), legend: "changes told by Redis"},
				}},
			}},
			{"Process", processPanels()},
			{"Log", []panel{
				{title: "Of the program", about: "All but requests. A line's trace id leads to its trace.", kind: logs, logs: "{service_name=\"aistrale\"} != `\"msg\":\"request\"`"},
			}},
		},
	}
}

func gatewayPanels() []panel {
	return []panel{
		{title: "Versions", kind: table, width: 12, height: 6, asks: []ask{{query: count(shown("aistrale_build_info"), "instance", "version", "revision", "go_version"), legend: "Runs"}}},
		{title: "Up", kind: timeline, width: 12, height: 6, states: []state{{"down", "red"}, {"up", "green"}}, asks: []ask{{query: least(shown("up"), "instance"), legend: "{{instance}}"}}},
		{title: "Own time, p99", about: "From a request's last byte to the first byte sent upstream.", kind: lines, unit: "s", width: 8, asks: []ask{
			{query: quantile(0.99, shown("aistrale_overhead_seconds_bucket"), now, "instance"), legend: "{{instance}}", exemplars: true},
		}},
		eachGateway("Requests", "", "reqps", rate(shown("aistrale_requests_total"), now)),
		eachGateway("Streams under way", "", "", shown("aistrale_open_streams")),
		{title: "Certificates", about: "How long they are still good, where the gateway speaks TLS.", kind: lines, unit: "s", width: 24, asks: []ask{
			{query: least(left(shown("aistrale_certificate_not_after_seconds")), "instance", "listener"), legend: "{{instance}} {{listener}}"},
		}},
	}
}

func storePanels() []panel {
	return []panel{
		{title: "Stores", about: "Whether a store answered when it was last asked.", kind: timeline, width: 8, states: []state{{"down", "red"}, {"up", "green"}}, asks: []ask{
			{query: least(shown("aistrale_store_up"), "instance", "store"), legend: "{{instance}} {{store}}"},
		}},
		{title: "Connections to the stores", about: "In use, of those that there may be: the fullest pool.", kind: lines, width: 8, unit: "percentunit", asks: []ask{
			{query: over(most(shown("aistrale_store_connections", is("state", "in_use")), "store", "pool"), most(shown("aistrale_store_connections_limit"), "store", "pool")), legend: "{{store}} {{pool}}"},
		}},
		{title: "Journal's disk, p99", about: "How long it took to make the journal durable.", kind: lines, width: 8, unit: "s", asks: []ask{
			{query: quantile(0.99, shown("aistrale_journal_fsync_seconds_bucket"), now, "instance"), legend: "{{instance}}"},
		}},
		eachGateway("Ledger lag", "Settled records that are in a journal and not yet in the ledger.", "", shown("aistrale_ledger_lag_records")),
		eachGateway("Ledger lost", "Must stay 0.", "", shown("aistrale_ledger_lost_total")),
		{title: "Audit exports and webhooks", about: "Records that the export furthest behind lacks; seconds that the oldest delivery is late.", kind: lines, width: 8, asks: []ask{
			{query: most(shown("aistrale_audit_export_lag_records")), legend: "records"},
			{query: most(shown("aistrale_webhook_lag_seconds")), legend: "seconds"},
		}},
		{title: "Lines to the stores", about: "Where a line stands, changes of the store are told of at once.", kind: timeline, width: 8, states: []state{{"down", "red"}, {"up", "green"}}, asks: []ask{
			{query: least(shown("aistrale_store_line_up"), "instance", "line"), legend: "{{instance}} {{line}}"},
		}},
		{title: "Changes", about: "Of keys, credentials and the like that came into force: told of at once, or looked for.", kind: lines, width: 8, asks: []ask{
			{query: sum(increase(shown("aistrale_store_changes_total"), now), "how"), legend: "{{how}}"},
		}},
		{title: "Configuration", about: "Whether the last load was good.", kind: timeline, width: 8, states: []state{{"failed", "red"}, {"good", "green"}}, asks: []ask{
			{query: least(shown("aistrale_config_last_reload_success"), "instance"), legend: "{{instance}}"},
		}},
	}
}

func processPanels() []panel {
	return []panel{
		eachGateway("Processors", "Busy ones.", "", rate(shown("process_cpu_seconds_total"), now)),
		eachGateway("Memory", "Resident.", "bytes", shown("process_resident_memory_bytes")),
		eachGateway("Heap", "In use.", "bytes", shown("go_memstats_heap_inuse_bytes")),
		eachGateway("Goroutines", "", "", shown("go_goroutines")),
		{title: "Open files", about: "Connections are among them.", kind: lines, width: 8, unit: "percentunit", asks: []ask{
			{query: over(sum(shown("process_open_fds"), "instance"), sum(shown("process_max_fds"), "instance")), legend: "{{instance}}"},
		}},
		{title: "Garbage collection", about: "The mean pause.", kind: lines, width: 8, unit: "s", asks: []ask{
			{query: mean("go_gc_duration_seconds", now, "instance"), legend: "{{instance}}"},
		}},
	}
}
