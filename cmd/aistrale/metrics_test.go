package main_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/internal/telemetry"
)

// metric gives the value of a metric with its labels as they are printed, "" where it is absent.
func (g *program) metric(t *testing.T, name string) string {
	t.Helper()
	_, text := get(t, g.admin+"/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// gauge gives the value of a metric that is there, as a number.
func (g *program) gauge(t *testing.T, name string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(g.metric(t, name), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// describesMetrics holds what a busy gateway exports against what is described, both ways; but for
// what needs another configuration.
func (g *program) describesMetrics(t *testing.T, lacks ...string) {
	t.Helper()
	_, text := get(t, g.admin+"/metrics")
	exported := map[string]string{}
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 4 && f[1] == "TYPE" {
			exported[f[2]] = f[3]
		}
	}
	for _, m := range telemetry.Metrics() {
		if kind, ok := exported[m.Name]; ok && kind != string(m.Kind) || !ok && (m.Only == "" || !slices.Contains(lacks, m.Only)) {
			t.Errorf("%s is described as a %s, and exported as %q", m.Name, m.Kind, kind)
		}
		delete(exported, m.Name)
	}
	for name := range exported {
		t.Errorf("%s is exported, and not described", name)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	p := newPlace(t)
	g := p.serve(t, anywhere+`
providers: [{name: up, dialect: openai, base_url: "`+up.url+`", api_key: none, models: [slow, one]}, {name: any, dialect: openai, base_url: "`+up.url+`", api_key: none}, {name: mock}]
keys: [{name: ci, key: `+fullKey+`}]
budgets: [{scope: all, per: month, usd: 1000, unpriced: allow}]
`)
	f := func(name, want string) {
		t.Helper()
		eventually(t, name+" is "+want, func() bool { return g.metric(t, name) == want })
	}
	// These stand from the start.
	for _, name := range []string{"aistrale_ledger_lost_total", "aistrale_unpriced_requests_total", "aistrale_open_streams", "aistrale_log_dropped_total", "aistrale_overhead_seconds_count"} {
		f(name, "0")
	}
	f("aistrale_config_last_reload_success", "1")

	resp := open(t, g.request(t, fullKey, "up/slow", `,"stream":true`))
	readUntil(t, resp.Body, `"first"`)
	f("aistrale_open_streams", "1")
	up.release <- struct{}{}
	readUntil(t, resp.Body, "[DONE]")
	f("aistrale_open_streams", "0")
	f(`aistrale_requests_total{model="slow",provider="up",status="200"}`, "1")
	f(`gen_ai_server_time_to_first_token_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="up",gen_ai_request_model="slow"}`, "1")

	// A client that leaves closes its stream too.
	resp = open(t, g.request(t, fullKey, "up/slow", `,"stream":true`))
	readUntil(t, resp.Body, `"first"`)
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	f("aistrale_open_streams", "0")
	f(`aistrale_requests_total{model="slow",provider="up",status="499"}`, "1")

	status, header, body := do(t, g.request(t, fullKey, "mock/gpt", ""))
	if status != http.StatusOK || header.Get("x-aistrale-cost-usd") == "0" {
		t.Errorf("%d %v %s", status, header, body)
	}
	f(`aistrale_upstream_attempts_total{outcome="ok",provider="mock"}`, "1")
	f(`gen_ai_client_token_usage_count{gen_ai_operation_name="chat",gen_ai_provider_name="mock",gen_ai_request_model="gpt",gen_ai_token_type="output"}`, "1")
	f(`gen_ai_server_request_duration_seconds_count{error_type="",gen_ai_operation_name="chat",gen_ai_provider_name="mock",gen_ai_request_model="gpt"}`, "1")
	f("aistrale_overhead_seconds_count", "3")

	resp = open(t, g.request(t, fullKey, "mock/gpt", `,"stream":true`))
	readUntil(t, resp.Body, "[DONE]")
	eventually(t, "the stream is counted", func() bool {
		return g.metric(t, `gen_ai_server_time_per_output_token_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="mock",gen_ai_request_model="gpt"}`) == "1"
	})
	g.describesMetrics(t, "storage.postgres", "tls or admin_tls", "media, searches or sounds")

	// Nothing that a client wrote is a label.
	for _, model := range []string{"any/free-text", "up/free-text", "free-text/one", "mock/free-text", "free-text"} {
		g.chat(t, fullKey, model)
	}
	g.chat(t, "sk-ais-free0000-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "mock/gpt")
	f(`aistrale_requests_total{model="other",provider="any",status="200"}`, "1")
	f(`aistrale_requests_total{model="other",provider="none",status="404"}`, "4")
	f(`aistrale_requests_total{model="other",provider="none",status="401"}`, "1")
	if _, text := get(t, g.admin+"/metrics"); strings.Contains(text, "free-text") || strings.Contains(text, "free0000") {
		t.Errorf("a client's text is a label:\n%s", text)
	}
}
