package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// A Prometheus scrapes a busy gateway, and has all that is described. Then a flood of made-up names
// makes no more series than the configuration has room for.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	g := newPlace(t).serve(t, anywhere+`
providers: [{name: mock}, {name: odd, dialect: openai, base_url: "`+oddUpstream(t)+`", api_key: none, models: [one]}, {name: any, dialect: openai, base_url: "`+oddUpstream(t)+`", api_key: none}]
aliases: {fast: [mock/gpt]}
keys: [{name: ci, key: `+fullKey+`}]
limits: [{scope: all, requests_per_minute: 100000}]
budgets: [{scope: all, per: month, usd: 1000, unpriced: allow}]
tracing: {endpoint: "`+oddUpstream(t)+`", ratio: 1}
`)
	prometheus := storagetest.Prometheus(t, "global: {scrape_interval: 200ms}\nscrape_configs: [{job_name: aistrale, static_configs: [{targets: ['"+strings.TrimPrefix(g.admin, "http://")+"']}]}]\n", "--enable-feature=exemplar-storage")
	for range 3 {
		g.chat(t, fullKey, "fast")
		if _, _, body := do(t, g.request(t, fullKey, "mock/gpt", `,"stream":true`)); !strings.Contains(body, "[DONE]") {
			t.Errorf("no whole stream: %s", body)
		}
	}
	for query, want := range map[string]string{
		`sum(aistrale_requests_total{provider="mock",status="200"})`:                                                                  "6",
		`sum(gen_ai_server_request_duration_seconds_bucket{gen_ai_provider_name="mock",le="+Inf"})`:                                   "6",
		`count(gen_ai_server_request_duration_seconds_bucket{gen_ai_provider_name="mock",le="655.36"})`:                               "1",
		`sum(gen_ai_server_time_per_output_token_seconds_count)`:                                                                      "3",
		`sum(aistrale_limit_decisions_total{limit="requests",decision="admitted"})`:                                                   "6",
		`aistrale_budget_limit_usd{scope="all",per="month"}`:                                                                          "1000",
		`aistrale_store_up{store="sqlite"}`:                                                                                           "1",
		`sum by (workspace) (aistrale_project_requests_total{project="default"})`:                                                     "6",
		`sum(aistrale_tokens_total{kind=~"output|reasoning"}) == bool sum(gen_ai_client_token_usage_sum{gen_ai_token_type="output"})`: "1",
	} {
		eventually(t, query+" is "+want, func() bool { return queried(t, prometheus, query) == want })
	}
	eventually(t, "an exemplar leads to a trace", func() bool {
		_, said := get(t, prometheus+"/api/v1/query_exemplars?"+url.Values{"query": {"gen_ai_server_time_to_first_token_seconds_bucket"}, "start": {"0"}, "end": {strconv.FormatInt(time.Now().Unix()+60, 10)}}.Encode())
		return strings.Contains(said, `"trace_id"`)
	})
	names := namesOf(t, prometheus)
	for _, m := range telemetry.Metrics() {
		name := m.Name
		if m.Kind == telemetry.Histogram {
			name += "_bucket"
		}
		if m.Only == "" && !slices.Contains(names, name) {
			t.Errorf("Prometheus has no %s", name)
		}
	}

	// Odd's models are one and other; any's, mock's gpt, claude and gemini.
	sizes := telemetry.Names{Providers: 3, Models: 4, Credentials: 5, Budgets: 1, Projects: 1}
	g.flood(t, 0)
	after := g.series(t)
	for _, m := range telemetry.Metrics() {
		if got, most := after[m.Name], m.MostSeries(sizes); got > most {
			t.Errorf("%s has %d series, of at most %d", m.Name, got, most)
		}
	}
	g.flood(t, 1)
	for name, n := range g.series(t) {
		if n > after[name] {
			t.Errorf("%s grew from %d series to %d by names alone", name, after[name], n)
		}
	}
}

// flood makes up whatever a client can name. Each turn says other names, and is told the same.
func (g *program) flood(t *testing.T, turn int) {
	t.Helper()
	const each = 25
	for i := range each {
		name := fmt.Sprintf("made%dup%d", turn, i)
		more := `,"user":"` + name + `","metadata":{"` + name + `":"` + name + `"}`
		for _, model := range []string{name, "mock/" + name, "any/" + name, "odd/" + name, name + "/gpt", "prompt/" + name, "any/status-" + strconv.Itoa(400+8*i%200)} {
			req := g.request(t, fullKey, model, more)
			req.Header.Set("x-aistrale-tags", name)
			req.Header.Set("x-aistrale-session", name)
			req.Header.Set("x-request-id", name)
			req.Header.Set("x-mock", "status="+strconv.Itoa(400+i))
			do(t, req)
		}
		do(t, g.request(t, "sk-ais-"+name[len(name)-4:]+"free-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG", "mock/gpt", ""))
		req, err := http.NewRequest("M"+strings.ToUpper(name), g.url+"/v1/"+name, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		do(t, req)
	}
}

// series counts the lines of each metric.
func (g *program) series(t *testing.T) map[string]int {
	t.Helper()
	_, text := get(t, g.admin+"/metrics")
	out, name := map[string]int{}, ""
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 4 && f[1] == "TYPE" {
			name = f[2]
		} else if !strings.HasPrefix(line, "#") {
			out[name]++
		}
	}
	return out
}

// oddUpstream answers with the status that a model's name ends with.
func oddUpstream(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Model string }
		body, _ := io.ReadAll(r.Body) // what is not read is no model
		_ = json.Unmarshal(body, &asked)
		if _, status, ok := strings.Cut(asked.Model, "status-"); ok {
			code, _ := strconv.Atoi(status)
			w.WriteHeader(code)
			return
		}
		w.Header().Set("content-type", "application/json")
		_, _ = io.WriteString(w, `{"id":"x","object":"chat.completion","model":"`+asked.Model+`","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}`)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

// queried gives the value of the first series that a query finds, "" where it finds none.
func queried(t *testing.T, prometheus, query string) string {
	t.Helper()
	_, body := get(t, prometheus+"/api/v1/query?"+url.Values{"query": {query}}.Encode())
	var said struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if len(said.Data.Result) == 0 {
		return ""
	}
	return fmt.Sprint(said.Data.Result[0].Value[1])
}

func namesOf(t *testing.T, prometheus string) []string {
	t.Helper()
	_, body := get(t, prometheus+"/api/v1/label/__name__/values")
	var said struct{ Data []string }
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		t.Fatal(err)
	}
	return said.Data
}
