package telemetry

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestExports(t *testing.T) {
	f := func(want bool, series string, labels ...string) {
		t.Helper()
		if Exports(series, labels...) != want {
			t.Errorf("Exports(%s, %q) is %t", series, labels, !want)
		}
	}
	f(true, "aistrale_requests_total", "provider", "status")
	f(true, "aistrale_ledger_lost_total")
	f(true, "gen_ai_client_token_usage") // native
	f(true, "gen_ai_client_token_usage_bucket", "le", "gen_ai_token_type")
	f(true, "gen_ai_client_token_usage_sum", "gen_ai_token_type")
	f(true, "go_gc_duration_seconds", "quantile")
	f(false, "aistrale_requests")
	f(false, "aistrale_requests_total", "key")
	f(false, "aistrale_requests_total_bucket")
	f(false, "aistrale_requests_total", "le")
	f(false, "gen_ai_client_token_usage_sum", "le")
}

func TestMetrics_Description(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Metrics() {
		if seen[m.Name] || m.Help == "" || !strings.HasSuffix(m.Help, ".") {
			t.Errorf("%s is described twice, or its help is no sentence: %q", m.Name, m.Help)
		}
		seen[m.Name] = true
		if counted := strings.HasSuffix(m.Name, "_total"); counted != (m.Kind == Counter) {
			t.Errorf("%s is a %s", m.Name, m.Kind)
		}
		if (m.Kind == Histogram) != (len(m.Buckets) > 0) || !slices.IsSorted(m.Buckets) {
			t.Errorf("%s is a %s with the buckets %v", m.Name, m.Kind, m.Buckets)
		}
		if unit := strings.ToLower(m.Unit); !strings.HasSuffix(strings.TrimSuffix(m.Name, "_total"), unit) && unit != "tokens" {
			t.Errorf("%s is in %s", m.Name, m.Unit)
		}
		for _, l := range m.Labels {
			if (l.From == "") == (len(l.Values) == 0) {
				t.Errorf("the label %s of %s is bounded by nothing, or twice", l.Name, m.Name)
			}
		}
	}
}

// What is registered and what is told are held to the description; a gateway of the whole program
// is held to it in cmd/aistrale.
func TestMetrics_Undescribed(t *testing.T) {
	f := func(read func(Tell)) {
		t.Helper()
		m := newMetrics(Options{Known: onlyClaude, Read: read})
		if _, err := m.registry.Gather(); err == nil {
			t.Error("a reading that is not described is taken")
		}
	}
	f(func(tell Tell) { tell("aistrale_nothing", 1) })
	f(func(tell Tell) { tell("aistrale_breaker_state", 1) })
	f(func(tell Tell) { tell("aistrale_breaker_state", 1, "groq", "more") })
	f(func(tell Tell) { tell("aistrale_store_up", 1, "punched cards") })
	defer func() {
		if recover() == nil {
			t.Error("a counter that is not described is registered")
		}
	}()
	newRegistry().counters("aistrale_nothing_total")
}

func TestMetrics_ReadingsAreBounded(t *testing.T) {
	tel := New(Options{Read: func(tell Tell) {
		for i := range 2 * maxRead {
			tell("aistrale_breaker_state", 1, fmt.Sprint("p", i))
		}
		tell("aistrale_ledger_lag_records", 7)
	}})
	text := scrape(t, tel)
	if n := strings.Count(text, "\naistrale_breaker_state{"); n != maxRead {
		t.Errorf("%d series are read, want %d", n, maxRead)
	}
	want(t, text, "aistrale_ledger_lag_records 7")
}

const (
	metricsPage   = "../../docs/metrics.md"
	metricsWriter = "<!-- Written by AISTRALE_UPDATE=1 go test ./internal/telemetry -run TestMetricsPage -->\n"
)

// The page lists the metrics that there are, and no other.
func TestMetricsPage(t *testing.T) {
	page, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(page), metricsWriter)
	if !found {
		t.Fatalf("%s has lost the place of its list: %s", metricsPage, metricsWriter)
	}
	want := head + metricsWriter + table()
	if os.Getenv("AISTRALE_UPDATE") != "" {
		if err := os.WriteFile(metricsPage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if string(page) != want {
		t.Errorf("%s does not list the metrics that there are; AISTRALE_UPDATE=1 writes it anew", metricsPage)
	}
}

// table lists the metrics, then the labels, then the buckets.
func table() string {
	var rows, labels, buckets strings.Builder
	labels.WriteString("\n### Labels\n\n| label | values |\n|---|---|\n")
	buckets.WriteString("\n### Buckets\n\n| histogram | upper bounds, in its unit |\n|---|---|\n")
	var known []string
	for _, g := range groups() {
		rows.WriteString("\n### " + g.name + "\n\n| metric | kind | labels | what it is |\n|---|---|---|---|\n")
		for _, m := range g.metrics {
			help := m.Help
			if m.Only != "" {
				help += " Only with " + m.Only + "."
			}
			fmt.Fprintf(&rows, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, strings.Join(m.labels(), ", "), help)
			for _, l := range m.Labels {
				if row := fmt.Sprintf("| `%s` | %s |\n", l.Name, valuesOf(l)); !slices.Contains(known, row) {
					known = append(known, row)
					labels.WriteString(row)
				}
			}
			if m.Kind == Histogram {
				fmt.Fprintf(&buckets, "| `%s` | %s |\n", m.Name, strings.Trim(fmt.Sprint(m.Buckets), "[]"))
			}
		}
	}
	return rows.String() + labels.String() + buckets.String()
}

func valuesOf(l Label) string {
	if l.From != "" {
		return string(l.From)
	}
	values := make([]string, len(l.Values))
	for i, v := range l.Values {
		if values[i] = "`" + v + "`"; v == "" {
			values[i] = "empty"
		}
	}
	return strings.Join(values, ", ")
}
