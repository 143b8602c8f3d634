package sheet

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// EntryColumns are the columns of attempts.
func EntryColumns() []Column {
	return []Column{
		{"time", "TIME"}, {"request_id", "REQUEST"}, {"attempt", "ATTEMPT"}, {"revision", ""}, {"final", ""}, {"state", ""},
		{"node", ""}, {"workspace", ""}, {"project", ""}, {"key", ""}, {"key_name", "KEY"}, {"user", ""},
		{"provider", "PROVIDER"}, {"model", "MODEL"}, {"credential", ""}, {"prompt", ""}, {"asked", ""}, {"served", ""}, {"tier", ""},
		{"op", ""}, {"stream", ""}, {"exact", ""},
		{"status", "STATUS"}, {"upstream_status", ""}, {"outcome", "OUTCOME"}, {"fault", ""}, {"finish", ""}, {"retry", ""},
		{"input_tokens", "INPUT"}, {"output_tokens", "OUTPUT"}, {"cache_read_tokens", ""}, {"cache_write_tokens", ""},
		{"reasoning_tokens", ""}, {"audio_in_tokens", ""}, {"audio_out_tokens", ""}, {"images", ""}, {"searches", ""},
		{"characters", ""}, {"audio_in_seconds", ""}, {"audio_out_seconds", ""}, {"variant", ""},
		{"cost_usd", "COST USD"}, {"unpriced", "UNPRICED"}, {"estimated", ""}, {"price_id", ""},
		{"content_bytes", ""}, {"bytes_in", ""}, {"bytes_out", ""},
		{"latency_ms", "MS"}, {"first_byte_ms", ""}, {"overhead_ms", ""},
		{"tags", ""}, {"end_user", ""}, {"metadata", ""}, {"client_request_id", ""}, {"upstream_request_id", ""}, {"usage", ""},
	}
}

// EntryCells has a cell for each of EntryColumns.
func EntryCells(e *storage.Entry) []jsontext.Value {
	state := "settled"
	if e.State == storage.EntryLost {
		state = "lost"
	}
	cost := Null
	if e.Known() {
		cost = USD(e.CostNano)
	}
	cells := []jsontext.Value{
		Time(e.Time), Text(e.RequestID.String()), Int(int64(e.Attempt)), Int(int64(e.Revision)), Bool(e.Final), Text(state),
		Text(e.Node), Text(e.Workspace), Text(e.Project), Text(e.Key), Text(e.KeyName), Text(e.User),
		Text(e.Provider), Text(e.Model), Text(e.Credential), Text(e.Prompt), Text(e.Asked), Text(e.Served), Text(e.Tier),
		Text(e.Op), Bool(e.Stream), Bool(e.Exact),
		Int(int64(e.Status)), Int(int64(e.UpstreamStatus)), Text(string(e.Outcome)), Text(e.Fault), Text(e.Finish), Int(int64(e.Retry)),
	}
	t := storage.TotalsOf(e) // as the sums count them
	cells = append(append(cells, unitCells(&t)...), Text(variantOf(e)))
	return append(cells,
		cost, Text(e.Unpriced), Bool(e.Charge.Estimated), Text(e.PriceID),
		Int(e.ContentBytes), Int(e.BytesIn), Int(e.BytesOut),
		Millis(e.Duration), Millis(e.FirstByte), Millis(e.Overhead),
		Text(strings.Join(e.Tags, ",")), Text(e.EndUser), Text(e.Metadata), Text(e.ClientID), Text(e.UpstreamID), Text(string(e.UsageRaw)),
	)
}

// variantOf is what the price of the images of an attempt goes by beside the model, "" for none.
func variantOf(e *storage.Entry) string {
	for i := range e.Lines {
		if v := e.Lines[i].Variant; v != "" {
			return v
		}
	}
	return ""
}
