package telemetry

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func TestMetrics_StandFromTheStart(t *testing.T) {
	text := scrape(t, New(Options{Version: "1.2.3", Revision: "abc"}))
	want(t, text, "aistrale_ledger_lost_total 0")
	want(t, text, "aistrale_unpriced_requests_total 0")
	want(t, text, "aistrale_log_dropped_total 0")
	want(t, text, "aistrale_open_streams 0")
	want(t, text, "aistrale_config_last_reload_success 1")
	for _, name := range []string{`aistrale_build_info{`, "go_goroutines", "process_cpu_seconds_total", "aistrale_cost_usd_total{"} {
		if !strings.Contains(text, "\n"+name) {
			t.Errorf("no metric %s", name)
		}
	}
	if !strings.Contains(text, `revision="abc",version="1.2.3"`) {
		t.Error("aistrale_build_info does not tell the build")
	}
}

// The names are a contract with the operators' dashboards.
func TestMetrics_Names(t *testing.T) {
	tel := New(Options{Known: onlyClaude, Read: func(tell Tell) {
		tell("aistrale_ledger_lag_records", 4)
		tell("aistrale_limits_dropped_total", 6)
		tell("aistrale_breaker_state", 2, "groq")
		tell("aistrale_breaker_state", 1, "groq") // the first counts
	}})
	tel.Observe(sample())
	tel.LedgerLost(3)
	tel.StreamOpened()
	tel.Reloaded(false)
	text := scrape(t, tel)
	const who = `gen_ai_operation_name="chat",gen_ai_provider_name="anthropic",gen_ai_request_model="claude-sonnet-4-5"`
	for _, line := range []string{
		`aistrale_requests_total{model="claude-sonnet-4-5",provider="anthropic",status="200"} 1`,
		`aistrale_upstream_attempts_total{outcome="upstream_error",provider="groq"} 1`,
		`aistrale_upstream_attempts_total{outcome="ok",provider="anthropic"} 1`,
		`aistrale_cost_usd_total{model="claude-sonnet-4-5",provider="anthropic"} 0.001284`,
		`aistrale_unpriced_requests_total 0`,
		`aistrale_ledger_lost_total 3`,
		`aistrale_ledger_lag_records 4`,
		`aistrale_limits_dropped_total 6`,
		`aistrale_cache_hits_total 0`,
		`aistrale_breaker_state{provider="groq"} 2`,
		`aistrale_open_streams 1`,
		`aistrale_config_last_reload_success 0`,
		`aistrale_overhead_seconds_sum 4.1e-05`,
		`aistrale_overhead_seconds_count 1`,
		`gen_ai_server_request_duration_seconds_sum{error_type="",` + who + `} 0.950007`,
		`gen_ai_server_request_duration_seconds_bucket{error_type="",` + who + `,le="81.92"} 1`,
		`gen_ai_server_time_to_first_token_seconds_sum{` + who + `} 0.3`,
		`gen_ai_client_token_usage_sum{` + who + `,gen_ai_token_type="input"} 1200`,
		`gen_ai_client_token_usage_sum{` + who + `,gen_ai_token_type="output"} 42`,
		`gen_ai_client_token_usage_bucket{` + who + `,gen_ai_token_type="output",le="6.7108864e+07"} 1`,
	} {
		want(t, text, line)
	}
}

func TestMetrics_Kinds(t *testing.T) {
	tel := New(Options{Known: onlyClaude})
	r := sample()
	r.Usage.Lines[0].Set(providers.Reasoning, 30)
	r.Usage.Lines[0].Set(providers.Images, 2)
	r.Usage.Lines[0].Set(providers.AudioInMs, 1500)
	tel.Observe(r)
	text := scrape(t, tel)
	for kind, n := range map[string]int{"input": 200, "cache_read": 1000, "cache_write_5m": 0, "output": 12, "reasoning": 30} {
		want(t, text, fmt.Sprintf(`aistrale_tokens_total{kind=%q,model="claude-sonnet-4-5",provider="anthropic"} %d`, kind, n))
	}
	want(t, text, `aistrale_billed_units_total{model="claude-sonnet-4-5",provider="anthropic",unit="images"} 2`)
	want(t, text, `aistrale_billed_units_total{model="claude-sonnet-4-5",provider="anthropic",unit="audio_in_seconds"} 1.5`)
	want(t, text, `aistrale_project_requests_total{project="default",workspace="default"} 1`)
	want(t, text, `aistrale_project_tokens_total{project="default",workspace="default"} 1242`)
	want(t, text, `aistrale_project_cost_usd_total{project="default",workspace="default"} 0.001284`)
}

func TestMetrics_Limits(t *testing.T) {
	tel := New(Options{})
	f := func(admitted, refused []storage.LimitKind, waited time.Duration, degraded bool) {
		r := &storage.Record{Waited: waited}
		for _, k := range admitted {
			r.Limits.Admitted.Add(k)
		}
		for _, k := range refused {
			r.Limits.Refused.Add(k)
		}
		r.Limits.Degraded = degraded
		tel.Observe(r)
	}
	f(nil, nil, 0, false)
	f([]storage.LimitKind{storage.LimitRequests, storage.LimitTokens, storage.LimitBudget}, nil, 3*time.Second, true)
	f([]storage.LimitKind{storage.LimitRequests}, []storage.LimitKind{storage.LimitBudget}, 0, false)
	text := scrape(t, tel)
	for of, n := range map[[2]string]int{
		{"requests", "admitted"}: 2, {"tokens", "admitted"}: 1, {"budget", "admitted"}: 1, {"budget", "refused"}: 1, {"concurrency", "refused"}: 0,
	} {
		want(t, text, fmt.Sprintf(`aistrale_limit_decisions_total{decision=%q,limit=%q} %d`, of[1], of[0], n))
	}
	want(t, text, "aistrale_limit_wait_seconds_sum 3")
	want(t, text, "aistrale_limit_wait_seconds_count 1")
	want(t, text, "aistrale_limits_degraded_requests_total 1")
}

// An attempt whose stream has begun ends with the request, however that ended.
func TestMetrics_Attempts(t *testing.T) {
	tel := New(Options{Known: func(string, string) bool { return true }})
	r := sample()
	r.Outcome = storage.OutcomeBrokenStream
	r.Attempts[0].Began, r.Attempts[1].Began = r.Time.Add(time.Millisecond), r.Time.Add(100*time.Millisecond)
	r.Duration = 1100 * time.Millisecond
	tel.Observe(r)
	text := scrape(t, tel)
	want(t, text, `aistrale_upstream_attempts_total{outcome="upstream_error_midstream",provider="anthropic"} 1`)
	const who = `gen_ai_operation_name="chat",gen_ai_provider_name="anthropic",gen_ai_request_model="claude-sonnet-4-5"`
	want(t, text, `gen_ai_client_operation_duration_seconds_sum{error_type="upstream_error_midstream",`+who+`} 1`)
	want(t, text, `gen_ai_client_operation_time_to_first_chunk_seconds_sum{`+who+`} 0.2`)
	want(t, text, `gen_ai_server_time_per_output_token_seconds_count{`+who+`} 1`)
	want(t, text, `gen_ai_client_operation_duration_seconds_sum{error_type="upstream_error",gen_ai_operation_name="chat",gen_ai_provider_name="groq",gen_ai_request_model="llama"} 0.031`)
}

// A bucket is given an exemplar once a second, and one that is slow at once.
func TestMetrics_Exemplars(t *testing.T) {
	m := New(Options{Known: onlyClaude, Tracer: &Tracer{sampling: Sampling{Slow: int64(time.Minute)}}}).metrics
	began := time.Now()
	f := func(id byte, sampled bool, after, took time.Duration) {
		r := sample()
		r.Trace = storage.Trace{ID: storage.TraceID{id}, Sampled: sampled}
		r.Time, r.Duration, r.Attempts = began.Add(after), took, nil
		m.observe(r)
	}
	f(1, false, 0, 70*time.Millisecond)
	f(2, true, 0, 70*time.Millisecond)
	f(3, true, 500*time.Millisecond, 70*time.Millisecond)
	f(4, false, 600*time.Millisecond, 300*time.Second) // recorded since it was slow
	f(5, true, 0, 1200*time.Millisecond)
	f(6, true, 2*time.Second, 1200*time.Millisecond)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, family := range families {
		if family.GetName() != "gen_ai_server_request_duration_seconds" {
			continue
		}
		h := family.GetMetric()[0].GetHistogram()
		for _, b := range h.GetBucket() {
			if x := b.GetExemplar(); x != nil {
				shown[fmt.Sprint(b.GetUpperBound())] = x.GetLabel()[0].GetName() + "=" + x.GetLabel()[0].GetValue()[:2]
			}
		}
		if h.GetSchema() != 2 || len(h.GetPositiveDelta()) != 3 || h.GetSampleCount() != 6 {
			t.Errorf("the native histogram has schema %d, %d buckets", h.GetSchema(), len(h.GetPositiveDelta()))
		}
	}
	if want := map[string]string{"0.08": "trace_id=02", "1.28": "trace_id=06", "327.68": "trace_id=04"}; !maps.Equal(shown, want) {
		t.Errorf("exemplars %v, want %v", shown, want)
	}
}

func TestMetrics_Unpriced(t *testing.T) {
	f := func(change func(*storage.Record), line string) {
		t.Helper()
		tel := New(Options{Known: onlyClaude})
		r := sample()
		r.CostNano = nil
		change(r)
		tel.Observe(r)
		text := scrape(t, tel)
		want(t, text, line)
		if strings.Contains(text, `aistrale_cost_usd_total{model="claude`) {
			t.Error("a request without a price shows a cost")
		}
	}
	nothing := func(r *storage.Record) {
		r.Outcome, r.Status, r.ContentBytes, r.Usage = storage.OutcomeUpstreamError, 502, 0, providers.Usage{}
	}
	f(func(*storage.Record) {}, "aistrale_unpriced_requests_total 1")
	f(func(r *storage.Record) { r.Outcome, r.Status = storage.OutcomeClientGone, 499 }, "aistrale_unpriced_requests_total 1")
	f(nothing, "aistrale_unpriced_requests_total 0")
	f(func(r *storage.Record) { r.Attempts, r.Usage = nil, providers.Usage{} }, "aistrale_unpriced_requests_total 0") // the list of models
	f(func(r *storage.Record) { nothing(r); r.ContentBytes = 7 }, "aistrale_unpriced_requests_total 1")
}

func TestMetrics_LabelsAreNeverAClientsText(t *testing.T) {
	tel := New(Options{Known: onlyClaude})
	for i := range 3 * maxSeries {
		r := sample()
		r.Model, r.Asked, r.Served, r.Fault = fmt.Sprint("m", i), fmt.Sprint("a", i), fmt.Sprint("s", i), fmt.Sprint("f", i)
		if i%2 == 0 {
			r.Provider, r.Attempts, r.Status, r.Outcome = "", nil, 404, storage.OutcomeRefused
		}
		tel.Observe(r)
	}
	text := scrape(t, tel)
	want(t, text, fmt.Sprintf(`aistrale_requests_total{model="other",provider="none",status="404"} %d`, 3*maxSeries/2))
	want(t, text, fmt.Sprintf(`aistrale_requests_total{model="other",provider="anthropic",status="200"} %d`, 3*maxSeries/2))
	if got := strings.Count(text, "\naistrale_requests_total{"); got > 3 {
		t.Errorf("%d series of aistrale_requests_total, want no more than 3", got)
	}
}

// Even a caller that vouches for everything cannot make the series grow without end.
func TestMetrics_SeriesAreBounded(t *testing.T) {
	tel := New(Options{Known: func(string, string) bool { return true }})
	const series, tries = 40, 20 // in place of maxSeries and maxTries
	tel.metrics.series.limit, tel.metrics.tries.limit = series, tries
	r := &storage.Record{Provider: "p", Op: providers.OpChat, Outcome: storage.OutcomeOK, Duration: time.Second}
	const more = 500
	for i := range series + more {
		r.Model = fmt.Sprint("m", i)
		r.Attempts = []storage.Attempt{{Provider: r.Model, Outcome: storage.OutcomeOK}}
		r.Status = 200
		tel.Observe(r)
	}
	text := scrape(t, tel)
	if got := strings.Count(text, "\naistrale_requests_total{"); got > series+1 {
		t.Errorf("%d series, want no more than %d", got, series+1)
	}
	want(t, text, fmt.Sprintf(`aistrale_requests_total{model="other",provider="other",status="other"} %d`, more))
	want(t, text, fmt.Sprintf(`aistrale_upstream_attempts_total{outcome="other",provider="other"} %d`, series+more-tries))
}

func TestMetrics_ReloadForgetsWhatWasUnknown(t *testing.T) {
	known := false
	tel := New(Options{Known: func(string, string) bool { return known }})
	tel.Observe(sample())
	known = true
	tel.Reloaded(true)
	tel.Observe(sample())
	text := scrape(t, tel)
	want(t, text, `aistrale_requests_total{model="other",provider="anthropic",status="200"} 1`)
	want(t, text, `aistrale_requests_total{model="claude-sonnet-4-5",provider="anthropic",status="200"} 1`)
}

// The name and the model of a record may point into a request's buffer, which is used again.
func TestMetrics_KeepsNoBytesOfTheRecord(t *testing.T) {
	m := newMetrics(Options{Known: func(string, string) bool { return true }})
	buffer := []byte("groq")
	name := unsafe.String(&buffer[0], len(buffer)) // as fasthttp's own zero-copy strings
	m.observe(&storage.Record{
		Provider: name, Model: name, Outcome: storage.OutcomeOK,
		Attempts: []storage.Attempt{{Provider: name}},
	})
	copy(buffer, "used again")
	for key := range *m.series.held.Load() {
		if key.provider != "groq" || key.model != "groq" {
			t.Errorf("key %+v", key)
		}
	}
	for key := range *m.tries.held.Load() {
		if key.provider != "groq" {
			t.Errorf("key %+v", key)
		}
	}
}

func BenchmarkMetrics_Observe(b *testing.B) {
	m := newMetrics(Options{Known: onlyClaude})
	r := sample()
	b.ReportAllocs()
	for b.Loop() {
		m.observe(r)
	}
}
