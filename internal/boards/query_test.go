package boards

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/internal/telemetry"
)

func TestQuery(t *testing.T) {
	f := func(q Query, want string) {
		t.Helper()
		if q.String() != want {
			t.Errorf("got  %s\nwant %s", q, want)
		}
	}
	errors, requests := metric("aistrale_requests_total", failed), metric("aistrale_requests_total")
	f(over(sum(rate(errors, "5m"), "job"), sum(rate(requests, "5m"), "job")),
		`sum by (job) (rate(aistrale_requests_total{status=~"5.."}[5m])) / (sum by (job) (rate(aistrale_requests_total[5m])) > 0)`)
	f(quantile(0.95, shown("gen_ai_server_time_to_first_token_seconds_bucket"), now, "gen_ai_provider_name"),
		`histogram_quantile(0.95, sum by (le, gen_ai_provider_name) (rate(gen_ai_server_time_to_first_token_seconds_bucket{gen_ai_provider_name=~"$provider", gen_ai_request_model=~"$model", job=~"$job", instance=~"$instance"}[$__rate_interval])))`)
	f(shown("aistrale_requests_total", is("provider", `a"b`)), `aistrale_requests_total{provider="a\"b", model=~"$model", job=~"$job", instance=~"$instance"}`)
	f(grew(metric("aistrale_ledger_lost_total"), "1h"),
		`(increase(aistrale_ledger_lost_total[1h]) > 0) or ((aistrale_ledger_lost_total > 0) unless aistrale_ledger_lost_total offset 1h)`)
	f(times(orZero(sum(rate(requests, "1h"))), 3600), `(sum(rate(aistrale_requests_total[1h])) or vector(0)) * 3600`)
}

// What nobody exports cannot be named.
func TestQuery_unknown(t *testing.T) {
	f := func(name string, of func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s is taken", name)
			}
		}()
		of()
	}
	f("a metric", func() { metric("aistrale_request_total") })
	f("a part of a counter", func() { metric("aistrale_requests_total_bucket") })
	f("a histogram without a part", func() { metric("aistrale_overhead_seconds") })
	f("a label", func() { metric("aistrale_requests_total", is("key", "x")) })
	f("a label that is summed away", func() { sum(sum(metric("aistrale_requests_total"), "job"), "provider") })
	f("a label in a legend", func() { a := ask{query: sum(metric("up"), "job"), legend: "{{instance}}"}; a.check("x") })
	f("a recording", func() { metric("job:aistrale_requests:rate7m") })
}

// Recordings have the labels that are promised, and all of them are made.
func TestRecordings(t *testing.T) {
	made := map[string]bool{}
	for _, r := range recordings() {
		if made[r.name] || !slices.Equal(r.query.labels, recorded[r.name]) {
			t.Errorf("%s has the labels %q, not %q, or is made twice", r.name, r.query.labels, recorded[r.name])
		}
		made[r.name] = true
	}
	for name := range recorded {
		if !made[name] {
			t.Errorf("no rule makes %s", name)
		}
	}
}

// The texts themselves, read without regard to how they were made, name nothing that is not exported.
func TestFiles_names(t *testing.T) {
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	for _, name := range []string{"prometheus/prometheus.yml", "grafana/provisioning/datasources/aistrale.yaml"} {
		if files[name], err = os.ReadFile(filepath.Join(deploy, name)); err != nil {
			t.Fatal(err)
		}
	}
	found := map[string]bool{}
	for name, text := range files {
		for _, word := range named.FindAllString(string(text), -1) {
			if !strings.HasPrefix(word, "aistrale_") && !strings.HasPrefix(word, "gen_ai_") {
				continue
			}
			found[word] = true
			if !telemetry.Exports(word) && !isLabel(word) {
				t.Errorf("%s names %s, which is not exported", name, word)
			}
		}
	}
	if len(found) < 20 {
		t.Errorf("only %d metrics are shown", len(found))
	}
}

func isLabel(name string) bool {
	return slices.ContainsFunc(telemetry.Metrics(), func(m telemetry.Metric) bool {
		return slices.ContainsFunc(m.Labels, func(l telemetry.Label) bool { return l.Name == name })
	})
}
