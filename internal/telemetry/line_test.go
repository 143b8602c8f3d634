package telemetry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	strict "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func TestAppendLine_Golden(t *testing.T) {
	const want = `{"time":"2026-11-23T01:02:03.456Z","level":"INFO","msg":"request","node":"n1",` +
		`"request_id":"0193b6f0-7c1e-7000-8000-000000000001","client_request_id":"mine-1",` +
		`"trace_id":"a1000000000000000000000000000001","span_id":"b200000000000002","sampled":true,"client":"2001:db8::1","key_id":"ab12cd34","key":"ci",` +
		`"user":"ada","project":"default","workspace":"default","tags":["a","b"],"op":"chat","stream":true,"exact":false,` +
		`"provider":"anthropic","credential":"env","model":"claude-sonnet-4-5","asked":"fast","served":"claude-sonnet-4-5-20250929",` +
		`"prompt":"greet@3","tier":"standard","dropped":["seed"],"status":200,"outcome":"ok","finish":"end_turn",` +
		`"attempts":[{"status":429,"provider":"groq","model":"llama","outcome":"upstream_error","error":"rate limit","reused":false,"duration_ms":31.000},` +
		`{"status":200,"provider":"anthropic","model":"claude-sonnet-4-5","credential":"env","outcome":"ok","upstream_id":"req_1","reused":true,"duration_ms":900.000}],` +
		`"usage":[{"input_uncached":200,"output":42,"cache_read":1000}],` +
		`"usage_raw":{"input_tokens":200,"cache_read_input_tokens":1000,"output_tokens":42},"cost_usd":0.001284,` +
		`"bytes_in":335,"bytes_out":1024,"content_bytes":160,"first_byte_ms":300.000,"overhead_us":41,"duration_ms":950.007}` + "\n"
	if got := string(appendLine(nil, slog.LevelInfo, sample())); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestAppendLine_Empty(t *testing.T) {
	const want = `{"time":"0001-01-01T00:00:00Z","level":"ERROR","msg":"request","op":"unknown","stream":false,"exact":false,` +
		`"status":0,"attempts":[],"cost_usd":"unknown","overhead_us":0,"duration_ms":0.000}` + "\n"
	if got := string(appendLine(nil, slog.LevelError, &storage.Record{})); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestAppendLine_UsageRaw(t *testing.T) {
	f := func(raw, want string) {
		t.Helper()
		r := sample()
		r.Usage.Raw = []byte(raw)
		got := decode(t, appendLine(nil, slog.LevelInfo, r))["usage_raw"]
		if want == "" && got != nil || want != "" && string(got) != want {
			t.Errorf("%q is logged as %s, want %s", raw, got, want)
		}
		if string(r.Usage.Raw) != raw {
			t.Error("the record's own bytes were changed")
		}
	}
	f(`{"a":1.50,"b":"\u003c"}`, `{"a":1.50,"b":"\u003c"}`) // verbatim
	f("{\r\n  \"a\": 1\n}", `{    "a": 1 }`)
	f(`{"a":1`, ``)
	f(`data: {}`, ``)
	f("{\"a\":\"\xff\"}", ``)
	f("{\"a\":\"x\ny\"}", ``)
	f(`["`+strings.Repeat("x", maxUsage)+`"]`, ``)
}

// fill makes a record whose every text is the given one.
func fill(s string) *storage.Record {
	var l providers.UsageLine
	l.Model, l.Tier = s, s
	l.Set(providers.OutputTotal, -1)
	return &storage.Record{
		ID: s, ClientRequestID: s, Session: s, Node: s, KeyID: s, KeyName: s, User: s, Project: s, Workspace: s, Prompt: s, Tags: []string{s, s},
		Provider: s, Credential: s, Asked: s, Model: s, Served: s, Tier: s, Dropped: []string{s}, Outcome: storage.Outcome(s),
		Err: s, Fault: s, Finish: s, Lease: s, PriceID: s, Duration: -time.Second,
		Attempts: []storage.Attempt{{Provider: s, Model: s, Credential: s, Outcome: storage.Outcome(s), Err: s, UpstreamID: s}},
		Usage:    providers.Usage{Lines: []providers.UsageLine{l, l}, Raw: []byte(s), Estimated: true},
	}
}

// decode reads a line with a parser that refuses duplicate names and invalid UTF-8.
func decode(t *testing.T, line []byte) map[string]jsontext.Value {
	t.Helper()
	if bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
		t.Fatalf("not one line: %q", line)
	}
	var members map[string]jsontext.Value
	if err := strict.Unmarshal(line, &members); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return members
}

func FuzzAppendLine(f *testing.F) {
	for _, s := range []string{
		"", "plain", `"`, `\`, "a\nb", "\x00\x1f\x7f", "\xff\xfe", "\xed\xa0\x80", "\u2028\u2029", "</script>", "é漢😀",
		strings.Repeat("漢", maxName), strings.Repeat("x", 3*maxError), `{"a":1}`, "[1,\n2]", `{"a":1,"a":2}`, "null", "1e999",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := appendLine(nil, slog.LevelWarn, fill(s))
		if !utf8.Valid(line) || bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Fatalf("not one line of UTF-8: %q", line)
		}
		// usage_raw is the provider's own, duplicate names and all; so this is the lax parser.
		var members map[string]json.RawMessage
		if err := json.Unmarshal(line, &members); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if s != "" && (members["request_id"] == nil || members["usage"] == nil) {
			t.Errorf("members are missing in %s", line)
		}
	})
}
