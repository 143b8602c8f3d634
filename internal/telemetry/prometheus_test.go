package telemetry

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/storagetest"
)

// A real Prometheus takes native histograms and exemplars off the handler.
func TestPrometheus(t *testing.T) {
	tel := New(Options{Known: onlyClaude, Tracer: &Tracer{}})
	r := sample()
	r.Time, r.Trace = time.Now(), storage.Trace{ID: storage.TraceID{0xab, 15: 1}, Sampled: true}
	for range 3 {
		tel.metrics.observe(r)
	}
	gateway := httptest.NewServer(tel.Handler())
	defer gateway.Close()
	config := "global: {scrape_interval: 100ms}\nscrape_configs: [{job_name: gateway, metrics_path: /, static_configs: [{targets: ['" +
		strings.TrimPrefix(gateway.URL, "http://") + "']}]}]\n"
	p := prometheusServer{t, storagetest.Prometheus(t, config, "--enable-feature=native-histograms,exemplar-storage")}

	// Of a native histogram a query names no buckets, and is precise to a fifth.
	p.until("/api/v1/query", "histogram_quantile(0.5, gen_ai_server_request_duration_seconds)", func(said answer) bool {
		return len(said.Data.Result) == 1 && said.Data.Result[0].within(0.79, 1.13)
	})
	p.until("/api/v1/query", "histogram_count(gen_ai_client_token_usage{gen_ai_token_type=\"output\"})", func(said answer) bool {
		return len(said.Data.Result) == 1 && said.Data.Result[0].within(3, 3)
	})
	p.until("/api/v1/query_exemplars", "gen_ai_server_request_duration_seconds_bucket or gen_ai_server_request_duration_seconds", func(said answer) bool {
		return strings.Contains(said.text, `"trace_id":"`+r.Trace.ID.String()+`"`)
	})
}

// prometheusServer is one to be asked.
type prometheusServer struct {
	t   *testing.T
	url string
}

type answer struct {
	Data struct{ Result []result }
	text string
}

type result struct{ Value [2]json.RawMessage }

// within reports whether the value is between two, each included.
func (v result) within(least, most float64) bool {
	var text string
	if json.Unmarshal(v.Value[1], &text) != nil {
		return false
	}
	var n float64
	return json.Unmarshal([]byte(text), &n) == nil && n >= least && n <= most
}

// until asks again and again, since what Prometheus knows is what it scraped last.
func (p prometheusServer) until(path, query string, ok func(answer) bool) {
	p.t.Helper()
	var said answer
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-again.C {
		if said = p.ask(path, query); ok(said) {
			return
		}
	}
	p.t.Fatalf("%s: in the end %s", query, said.text)
}

func (p prometheusServer) ask(path, query string) (said answer) {
	p.t.Helper()
	at := p.url + path + "?" + url.Values{"query": {query}, "start": {time.Now().Add(-time.Hour).Format(time.RFC3339)}, "end": {time.Now().Add(time.Hour).Format(time.RFC3339)}}.Encode()
	if path == "/api/v1/query" {
		at = p.url + path + "?" + url.Values{"query": {query}}.Encode()
	}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, at, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	said.text = string(body)
	_ = json.Unmarshal(body, &said) // an answer of another form is none of what is wanted
	return said
}
