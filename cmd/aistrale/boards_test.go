package main_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/internal/boards"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// scraper is a real Prometheus that is asked by its API.
type scraper string

// ask gives the values of the series that a query gives.
func (p scraper) ask(t *testing.T, query string) []string {
	t.Helper()
	_, body := get(t, string(p)+"/api/v1/query?query="+url.QueryEscape(query))
	var answer struct {
		Status, Error string
		Data          struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Status != "success" {
		t.Errorf("%s: %s %v", query, body, err)
	}
	var values []string
	for _, series := range answer.Data.Result {
		if text, ok := series.Value[1].(string); ok && text != "NaN" {
			values = append(values, text)
		}
	}
	return values
}

// scrapes starts Prometheus on the configuration and the rules that lie under deploy, but that it
// looks at this gateway, and many times a second.
func scrapes(t *testing.T, g *program) scraper {
	t.Helper()
	rules, err := os.MkdirTemp("", "aistrale-rules-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(rules) })
	if err := os.Chmod(rules, 0o755); err != nil { // Prometheus is another user
		t.Fatal(err)
	}
	if err := os.CopyFS(rules, os.DirFS("../../deploy/prometheus/rules")); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("../../deploy/prometheus/prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(config)
	for _, change := range [][2]string{{"gateway-1:8081, gateway-2:8081", strings.TrimPrefix(g.admin, "http://")}, {"_interval: 15s", "_interval: 200ms"}, {"rules/*.yml", filepath.Join(rules, "*.yml")}} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("deploy/prometheus/prometheus.yml does not say %s", change[0])
		}
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	return scraper(storagetest.Prometheus(t, text, "--enable-feature=exemplar-storage"))
}

// grafana says a query as Grafana does, with everything chosen.
var grafana = strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$job", "aistrale", "$instance", ".*", "$provider", ".*", "$model", ".*")

// mayBeEmpty are panels of what a gateway of a few seconds' age need not have: a yesterday, and a
// heap that was collected more than once; and of certificates, without which this one serves.
var mayBeEmpty = []string{"An hour, and the day before", "Garbage collection", "Certificates"}

// Every query of every dashboard is one that Prometheus answers, with data, where a gateway is busy
// and has met every kind of trouble that the panels are about; and every rule works.
func TestBoards(t *testing.T) {
	t.Parallel()
	up := newUpstream(t)
	g := newPlace(t).serve(t, anywhere+`
storage: {postgres: "`+storagetest.Postgres(t)+`", redis: "`+storagetest.Redis(t)+`"}
providers: [{name: mock}, {name: up, dialect: openai, base_url: "`+up.url+`", api_key: none, models: [slow, one]}, {name: down, dialect: openai, base_url: "http://127.0.0.1:1/v1", api_key: none, models: [one]}]
keys: [{name: ci, key: `+fullKey+`}, {name: slow, key: `+otherKey+`, limits: [{requests_per_minute: 1}]}]
budgets: [{scope: all, per: month, usd: 0.000001, hard: false, unpriced: allow}]
cache: {memory: 1MiB}
retry: {max: 0}
tracing: {endpoint: "http://127.0.0.1:1"}
`)
	p := scrapes(t, g)
	busy := func(round string) {
		t.Helper()
		for range 3 {
			g.chat(t, fullKey, "mock/gpt")
			g.chat(t, fullKey, "up/one")
			g.chat(t, fullKey, "down/one")
			g.chat(t, otherKey, "mock/gpt")
			resp := open(t, g.request(t, fullKey, "mock/gpt", `,"stream":true`))
			readUntil(t, resp.Body, "[DONE]")
		}
		want := g.metric(t, "aistrale_overhead_seconds_count")
		eventually(t, "Prometheus has seen the requests of the "+round+" round", func() bool {
			return slices.Equal(p.ask(t, "sum(aistrale_overhead_seconds_count)"), []string{want})
		})
	}
	eventually(t, "Prometheus scrapes", func() bool { return slices.Equal(p.ask(t, `up{job="aistrale"}`), []string{"1"}) })
	busy("first")
	busy("second") // counters are seen to rise
	eventually(t, "an alert fires", func() bool { return len(p.ask(t, `ALERTS{alertname="AistraleBudgetSpent",alertstate="firing"}`)) == 1 })
	eventually(t, "recordings are made", func() bool { return len(p.ask(t, "job:aistrale_failures:ratio3d > 0")) == 1 })

	queries := boards.Queries()
	for _, q := range queries {
		text := grafana.Replace(q.Query.String())
		if strings.Contains(strings.ReplaceAll(text, `"$1"`, ""), "$") { // which is a group of label_replace
			t.Errorf("%s, %s: %s is not said as Grafana says it", q.Board, q.Panel, text)
		}
		// A gauge has no value for as long as the last scrape was late.
		eventually(t, q.Board+", "+q.Panel+" has data for "+text, func() bool {
			return len(p.ask(t, text)) > 0 || slices.Contains(mayBeEmpty, q.Panel)
		})
	}
	if len(queries) < 80 {
		t.Errorf("only %d queries", len(queries))
	}
	p.rulesWork(t)
	p.leadsToTraces(t)
}

// leadsToTraces looks for points of single requests whose label is the one that the data source
// finds a trace by.
func (p scraper) leadsToTraces(t *testing.T) {
	t.Helper()
	source, err := os.ReadFile("../../deploy/grafana/provisioning/datasources/aistrale.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(source), "exemplarTraceIdDestinations:\n        - name: ")
	label, _, _ := strings.Cut(after, "\n")
	eventually(t, "an exemplar has a "+label, func() bool {
		now := time.Now()
		_, body := get(t, fmt.Sprintf("%s/api/v1/query_exemplars?query=gen_ai_server_request_duration_seconds_bucket&start=%d&end=%d", p, now.Add(-time.Hour).Unix(), now.Unix()+1))
		return gjson.Get(body, "data.0.exemplars.0.labels."+label).Str != ""
	})
}

// rulesWork fails where a rule cannot be evaluated, or fewer are than there are.
func (p scraper) rulesWork(t *testing.T) {
	t.Helper()
	_, body := get(t, string(p)+"/api/v1/rules")
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	alerts := 0
	for _, group := range answer.Data.Groups {
		for _, r := range group.Rules {
			if r.Health != "ok" {
				t.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
			}
			if strings.HasPrefix(r.Name, "Aistrale") {
				alerts++
			}
		}
	}
	if alerts != len(boards.Alerts()) {
		t.Errorf("%d alerts are evaluated, of %d", alerts, len(boards.Alerts()))
	}
}
