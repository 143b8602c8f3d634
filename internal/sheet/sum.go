package sheet

import (
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// SumColumns are the columns of sums; facets are those that a query asks by beside its dimensions. A table shows what is not text only where there is some.
func SumColumns(q *storage.UsageQuery, facets []string, sums []storage.UsageSum) []Column {
	var columns []Column
	if q.Per != "" {
		columns = append(columns, Column{"start", strings.ToUpper(string(q.Per))})
	}
	for _, d := range q.By {
		if d == storage.ByKey {
			columns = append(columns, Column{"key", "KEY ID"}, Column{"key_name", "KEY"})
			continue
		}
		columns = append(columns, Column{string(d), strings.ToUpper(string(d))})
	}
	for _, f := range facets {
		columns = append(columns, Column{f, strings.ToUpper(f)})
	}
	some := func(m storage.Measure, heading string) string {
		if slices.ContainsFunc(sums, func(s storage.UsageSum) bool { return s.Totals[m] != 0 }) {
			return heading
		}
		return ""
	}
	return append(columns, []Column{
		{"requests", "REQUESTS"}, {"errors", "ERRORS"}, {"attempts", ""},
		{"input_tokens", "INPUT"}, {"output_tokens", "OUTPUT"}, {"cache_read_tokens", "CACHE READ"}, {"cache_write_tokens", "CACHE WRITE"},
		{"reasoning_tokens", ""}, {"audio_in_tokens", ""}, {"audio_out_tokens", ""},
		{"images", some(storage.Images, "IMAGES")}, {"searches", ""}, {"characters", some(storage.Characters, "CHARACTERS")},
		{"audio_in_seconds", some(storage.AudioInMs, "SECONDS IN")}, {"audio_out_seconds", some(storage.AudioOutMs, "SECONDS OUT")},
		{"cost_usd", "COST USD"}, {"unpriced", "UNPRICED"}, {"estimated", "ESTIMATED"},
		{"latency_p50_ms", "P50 MS"}, {"latency_p95_ms", "P95 MS"}, {"latency_p99_ms", ""},
		{"first_token_p50_ms", ""}, {"first_token_p95_ms", ""}, {"first_token_p99_ms", ""},
	}...)
}

// SumCells has a cell for each of SumColumns.
func SumCells(q *storage.UsageQuery, facets []string, sum *storage.UsageSum) []jsontext.Value {
	var cells []jsontext.Value
	if q.Per != "" {
		cells = append(cells, Time(sum.Start))
	}
	for _, d := range q.By {
		cells = append(cells, Text(*d.Of(&sum.Series)))
		if d == storage.ByKey {
			cells = append(cells, Text(sum.KeyName))
		}
	}
	for _, f := range facets {
		cells = append(cells, Text(f))
	}
	t := &sum.Totals
	cells = append(cells, Int(t[storage.Requests]), Int(t[storage.Errors]), Int(t[storage.Attempts]))
	cells = append(cells, unitCells(t)...)
	cost := USD(t[storage.CostNano])
	if !t.Priced() {
		cost = Null // nothing is known, which is not 0
	}
	cells = append(cells, cost, Int(t[storage.Unpriced]), Int(t[storage.Estimated]))
	cells = append(cells, quantiles(t[storage.Requests], t.Latency)...)
	return append(cells, quantiles(t.Streams(), t.FirstTokenLatency)...)
}

func quantiles(of int64, latency func(q float64) time.Duration) []jsontext.Value {
	cells := []jsontext.Value{Null, Null, Null}
	for i, q := range []float64{0.5, 0.95, 0.99} {
		if of > 0 {
			cells[i] = Millis(latency(q))
		}
	}
	return cells
}

// unitCells are what was counted, from the tokens of input to the seconds of sound.
func unitCells(t *storage.Totals) []jsontext.Value {
	var cells []jsontext.Value
	for _, m := range []storage.Measure{
		storage.InputTokens, storage.OutputTokens, storage.CacheReadTokens, storage.CacheWriteTokens,
		storage.ReasoningTokens, storage.AudioInTokens, storage.AudioOutTokens, storage.Images, storage.Searches, storage.Characters,
	} {
		cells = append(cells, Int(t[m]))
	}
	return append(cells, Thousandths(t[storage.AudioInMs]), Thousandths(t[storage.AudioOutMs]))
}
