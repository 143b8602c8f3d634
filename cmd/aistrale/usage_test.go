package main

import (
	"encoding/binary"
	"encoding/csv"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/sqlite"
)

// idAt makes a request id of a time.
func idAt(at time.Time, n uint16) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|0x7000|uint64(n))
	id[8] = 0x80
	return id
}

// entryAt is a served call of an hour, of the mock at its prices.
func entryAt(at time.Time, n uint16, model string, input, output int64) storage.Entry {
	return storage.Entry{
		RequestID: idAt(at, n), Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true, Time: at, Node: "n1",
		Series: storage.Series{Workspace: "default", Project: "default", Key: "abcd1234", KeyName: "ci", Provider: "mock", Model: model},
		Op:     "chat", Status: 200, UpstreamStatus: 200, Outcome: storage.OutcomeOK, Duration: 3 * time.Millisecond,
		Lines:  []providers.Normal{{InputUncached: input, Output: output}},
		Charge: storage.Charge{CostNano: input*1000 + output*2000, PriceID: "p"},
	}
}

// spent fills the desk's ledger.
func (d *desk) spent(entries ...storage.Entry) {
	d.t.Helper()
	l, err := sqlite.OpenLedger(d.t.Context(), filepath.Join(d.dir, sqlite.LedgerFileName))
	if err != nil {
		d.t.Fatal(err)
	}
	if err := l.Write(d.t.Context(), entries); err != nil {
		d.t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// spending is a day of two models and two keys: a retry, a call without a price, an old one.
func spending(d *desk) {
	at := d.now.Add(-time.Hour)
	first, second := entryAt(at, 1, "gpt", 19, 42), entryAt(at.Add(time.Minute), 2, "gpt", 100, 7)
	failed := entryAt(at.Add(2*time.Minute), 3, "claude", 0, 0)
	failed.Lines, failed.Final, failed.Outcome, failed.Status = nil, false, storage.OutcomeUpstreamError, 429
	failed.Charge = storage.Charge{}
	retried := entryAt(at.Add(2*time.Minute), 3, "gpt", 19, 42)
	retried.Attempt = 2
	unpriced := entryAt(at.Add(90*time.Minute), 4, "new", 5, 6)
	unpriced.Charge = storage.Charge{Unpriced: "no price"}
	unpriced.Key, unpriced.KeyName, unpriced.Tags = "wxyz6789", "web", []string{"a b", `q"`}
	old := entryAt(d.now.Add(-48*time.Hour), 5, "gpt", 1_000_000, 1)
	d.spent(first, second, failed, retried, unpriced, old)
	d.now = d.now.Add(time.Hour)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if got := d.must("usage", "--json"); got != `[{"requests":0,"errors":0,"attempts":0,"input_tokens":0,"output_tokens":0,"cache_read_tokens":0,"cache_write_tokens":0,`+
		`"reasoning_tokens":0,"audio_in_tokens":0,"audio_out_tokens":0,"images":0,"searches":0,"characters":0,"audio_in_seconds":0,"audio_out_seconds":0,"cost_usd":0,"unpriced":0,"estimated":0,`+
		`"latency_p50_ms":null,"latency_p95_ms":null,"latency_p99_ms":null,"first_token_p50_ms":null,"first_token_p95_ms":null,"first_token_p99_ms":null}]`+"\n" {
		t.Errorf("nothing spent is %s", got)
	}
	spending(d)
	f := func(want []map[string]any, args ...string) {
		t.Helper()
		got := flat(t, d.must(append([]string{"usage", "--json"}, args...)...))
		if len(got) != len(want) {
			t.Errorf("%q: %d rows, want %d: %v", args, len(got), len(want), got)
			return
		}
		for i, row := range want {
			for name, value := range row {
				if got[i][name] != value {
					t.Errorf("%q: row %d: %s is %v, want %v", args, i, name, got[i][name], value)
				}
			}
		}
	}
	type rows = []map[string]any
	// 19+100+19+5 in, 42+7+42+6 out; the cost is that of the first three: 138 and 91 at 1 and 2 USD a million.
	all := map[string]any{"requests": 4.0, "errors": 0.0, "attempts": 5.0, "input_tokens": 143.0, "output_tokens": 97.0, "cost_usd": 0.00032, "unpriced": 1.0, "estimated": 0.0}
	f(rows{all})
	f(rows{all}, "--since", "2026-01-01")
	f(rows{{"requests": 5.0, "cost_usd": 1.000322}}, "--since", "7d")
	f(rows{{"requests": 1.0, "cost_usd": 1.000002}}, "--since", "7d", "--until", "2026-01-01")
	f(rows{
		{"model": "claude", "requests": 0.0, "attempts": 1.0, "cost_usd": 0.0, "latency_p50_ms": nil},
		{"model": "gpt", "requests": 3.0, "attempts": 3.0, "cost_usd": 0.00032},
		{"model": "new", "requests": 1.0, "cost_usd": nil, "unpriced": 1.0},
	}, "--by", "model")
	f(rows{
		{"key": "abcd1234", "key_name": "ci", "model": "claude"}, {"key": "abcd1234", "key_name": "ci", "model": "gpt"},
		{"key": "wxyz6789", "key_name": "web", "model": "new"},
	}, "--by", "key,model")
	f(rows{
		{"start": "2026-01-02T02:00:00Z", "requests": 3.0}, {"start": "2026-01-02T03:00:00Z", "requests": 1.0},
	}, "--per", "hour")
	f(rows{{"start": "2026-01-02T00:00:00Z", "provider": "mock", "requests": 4.0}}, "--per", "day", "--by", "provider")
	f(rows{{"tag": "a b", "requests": 1.0}, {"tag": `q"`, "requests": 1.0}}, "--by", "tag")

	f(rows{{"requests": 3.0}}, "--where", "key=ci")
	f(rows{{"requests": 3.0}}, "--where", "key=abcd1234")
	f(rows{{"requests": 4.0}}, "--where", "key=ci,web")
	f(rows{{"requests": 4.0}}, "--where", "key=ci", "--where", "key=web")
	f(rows{{"requests": 1.0}}, "--where", "key=ci,web,model=new")
	f(rows{{"requests": 3.0}}, "--where", "model=g*")
	f(rows{{"requests": 4.0}}, "--where", "model=mock/*")
	f(rows{{"requests": 3.0}}, "--where", "model=mock/gpt,mock/claude")
	f(rows{{"requests": 0.0}}, "--where", "model=openai/gpt")
	f(rows{{"requests": 0.0}}, "--where", "provider=mock,model=mock/gpt")
	f(rows{{"requests": 1.0}}, "--where", "tag=a*")
}

func TestUsage_forms(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	spending(d)
	lines := strings.Split(d.must("usage", "--by", "model,key"), "\n")
	if !strings.HasPrefix(lines[0], "MODEL   KEY ID    KEY  REQUESTS  ERRORS") || !strings.HasPrefix(lines[1], "gpt     abcd1234  ci   3 ") || len(lines) != 5 {
		t.Errorf("the dearest comes first:\n%s", strings.Join(lines, "\n"))
	}
	if !strings.Contains(lines[1], " 0.00032 ") || !strings.Contains(lines[3]+lines[2], " -  ") {
		t.Errorf("costs are exact, and unknown ones are none:\n%s", strings.Join(lines, "\n"))
	}

	records, err := csv.NewReader(strings.NewReader(d.must("usage", "--by", "tag", "--csv"))).ReadAll()
	if err != nil || len(records) != 3 {
		t.Fatalf("%q, %v", records, err)
	}
	if want := []string{"tag", "requests", "errors", "attempts", "input_tokens"}; !reflect.DeepEqual(records[0][:5], want) {
		t.Errorf("head %q", records[0])
	}
	if records[1][0] != "a b" || records[2][0] != `q"` || records[2][1] != "1" || records[2][16] != "" {
		t.Errorf("rows %q", records[1:])
	}
}

// What is billed by other units than tokens is shown where there is some.
func TestUsage_units(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.spent(entryAt(d.now.Add(-time.Hour), 1, "gpt", 19, 42))
	if head, _, _ := strings.Cut(d.must("usage", "--by", "model"), "\n"); strings.Contains(head, "IMAGES") || strings.Contains(head, "SECONDS") {
		t.Errorf("nothing but text, and the head is %s", head)
	}
	sound, picture := entryAt(d.now.Add(-time.Hour), 2, "whisper", 0, 0), entryAt(d.now.Add(-time.Hour), 3, "dall-e", 0, 0)
	sound.Lines = []providers.Normal{{AudioInMs: 8470, AudioOutMs: 100, Characters: 19}}
	picture.Lines = []providers.Normal{{Images: 2, Variant: "1024x1792/hd"}}
	d.spent(sound, picture)
	if head, _, _ := strings.Cut(d.must("usage", "--by", "model"), "\n"); !strings.Contains(head, "IMAGES  CHARACTERS  SECONDS IN  SECONDS OUT  COST USD") {
		t.Errorf("the head is %s", head)
	}
	f := func(row map[string]any, want map[string]any) {
		t.Helper()
		for name, value := range want {
			if row[name] != value {
				t.Errorf("%s is %v, want %v", name, row[name], value)
			}
		}
	}
	sums := flat(t, d.must("usage", "--json"))
	f(sums[0], map[string]any{"images": 2.0, "characters": 19.0, "audio_in_seconds": 8.47, "audio_out_seconds": 0.1, "requests": 3.0})
	rows := flat(t, d.must("usage", "rows", "--where", "model=whisper,model=dall-e", "--json"))
	f(rows[0], map[string]any{"images": 0.0, "characters": 19.0, "audio_in_seconds": 8.47, "audio_out_seconds": 0.1, "variant": ""})
	f(rows[1], map[string]any{"images": 2.0, "audio_in_seconds": 0.0, "variant": "1024x1792/hd"})
}

func TestUsage_wrong(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	f := func(want string, args ...string) {
		t.Helper()
		d.refuses(2, want, append([]string{"usage"}, args...)...)
	}
	f("no such command", "row")
	f("1 words where 0", "--json", "row")
	f(`--by: "modle" is no dimension, did you mean "model"?`, "--by", "modle")
	f(`--per: "week" is none of minute, hour and day`, "--per", "week")
	f(`--since: "yesterday" is neither`, "--since", "yesterday")
	f(`--until: "-1h" is neither`, "--until", "-1h")
	f("--since is not before --until", "--since", "1h", "--until", "2h")
	f("--json or --csv", "--json", "--csv")
	f(`--where: "colour" is no dimension`, "--where", "colour=red")
	f(`--where: "red" is not of the form`, "--where", "red")
	f(`--where: "key=" is not of the form`, "--where", "key=")
	f("of different providers", "--where", "model=openai/*,anthropic/*")
	f("of different providers", "--where", "model=openai/*,gpt")
	f(`--request: "7" is no request id`, "rows", "--request", "7")
	f("--limit is negative", "rows", "--limit", "-1")
	f("--from and --model are needed", "reprice", "--from", "24h")
	f("--from and --model are needed", "reprice", "--model", "*")
	f("not defined", "rows", "--per", "hour")
	for _, args := range [][]string{{"--help"}, {"help"}, {"--by", "model", "-h"}, {"rows", "--help"}, {"reprice", "-h"}} {
		if said := d.must(append([]string{"usage"}, args...)...); !strings.HasPrefix(said, "usage: aistrale usage") {
			t.Errorf("%q prints %q", args, said)
		}
	}
}

func TestUsageRows(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if got := d.must("usage", "rows", "--json"); got != "[]\n" {
		t.Fatalf("no rows are %q", got)
	}
	if got := d.must("usage", "rows", "--csv"); !strings.HasPrefix(got, "time,request_id,attempt,") || strings.Count(got, "\n") != 1 {
		t.Fatalf("no rows are %q", got)
	}
	e := entryAt(d.now.Add(-time.Hour), 1, "gpt", 19, 42)
	e.Lines[0].CacheRead, e.Lines[0].Reasoning = 3, 2
	e.Tags, e.EndUser, e.Metadata, e.Retry = []string{"a", "b"}, "ada\x1b[31m, \"x\"\n", `{"k":"v"}`, 2
	e.UsageRaw = []byte(`{"prompt_tokens":22}`)
	e.FirstByte, e.Overhead, e.ClientID, e.Served = 1500*time.Microsecond, 40*time.Microsecond, "mine", "gpt-1"
	unpriced := entryAt(d.now.Add(-30*time.Minute), 2, "new", 5, 6)
	unpriced.Charge = storage.Charge{Unpriced: "no price", Estimated: true}
	unpriced.State, unpriced.Outcome = storage.EntryLost, storage.OutcomeLost
	d.spent(e, unpriced)
	corrected := e
	corrected.Revision, corrected.CostNano = 2, 77
	d.spent(corrected)

	rows := flat(t, d.must("usage", "rows", "--json"))
	if len(rows) != 2 {
		t.Fatalf("%v", rows)
	}
	want := map[string]any{
		"time": "2026-01-02T02:04:05Z", "request_id": e.RequestID.String(), "attempt": 1.0, "revision": 2.0, "final": true, "state": "settled",
		"node": "n1", "workspace": "default", "project": "default", "key": "abcd1234", "key_name": "ci", "user": "",
		"provider": "mock", "model": "gpt", "credential": "", "prompt": "", "asked": "", "served": "gpt-1", "tier": "",
		"op": "chat", "stream": false, "exact": false,
		"status": 200.0, "upstream_status": 200.0, "outcome": "ok", "fault": "", "finish": "", "retry": 2.0,
		"input_tokens": 22.0, "output_tokens": 42.0, "cache_read_tokens": 3.0, "cache_write_tokens": 0.0,
		"reasoning_tokens": 2.0, "audio_in_tokens": 0.0, "audio_out_tokens": 0.0, "images": 0.0, "searches": 0.0,
		"characters": 0.0, "audio_in_seconds": 0.0, "audio_out_seconds": 0.0, "variant": "",
		"cost_usd": 7.7e-8, "unpriced": "", "estimated": false, "price_id": "p",
		"content_bytes": 0.0, "bytes_in": 0.0, "bytes_out": 0.0,
		"latency_ms": 3.0, "first_byte_ms": 1.5, "overhead_ms": 0.04,
		"tags": "a,b", "end_user": "ada\x1b[31m, \"x\"\n", "metadata": `{"k":"v"}`, "client_request_id": "mine", "upstream_request_id": "",
		"usage": `{"prompt_tokens":22}`,
	}
	if !reflect.DeepEqual(rows[0], want) {
		t.Errorf("got  %v\nwant %v", rows[0], want)
	}
	if r := rows[1]; r["cost_usd"] != nil || r["unpriced"] != "no price" || r["estimated"] != true || r["state"] != "lost" || r["outcome"] != "lost" {
		t.Errorf("got %v", r)
	}
	if text := d.must("usage", "rows", "--json"); !strings.Contains(text, `"cost_usd":0.000000077,`) {
		t.Errorf("a cost is not exact: %s", text)
	}

	f := func(n int, args ...string) {
		t.Helper()
		if got := flat(t, d.must(append([]string{"usage", "rows", "--json"}, args...)...)); len(got) != n {
			t.Errorf("%q: %d rows, want %d", args, len(got), n)
		}
	}
	f(1, "--request", e.RequestID.String())
	f(0, "--request", idAt(d.now, 9).String())
	f(1, "--limit", "1")
	f(1, "--where", "model=mock/new")
	f(1, "--where", "tag=b")
	f(1, "--since", "45m")
	f(1, "--until", "45m", "--since", "2h")
	d.now = d.now.Add(72 * time.Hour)
	f(0)
	f(1, "--request", e.RequestID.String())
	f(2, "--since", "2026-01-01")

	records, err := csv.NewReader(strings.NewReader(d.must("usage", "rows", "--csv", "--since", "2026-01-01"))).ReadAll()
	if err != nil || len(records) != 3 || len(records[0]) != len(want) {
		t.Fatalf("%q, %v", records, err)
	}
	for i, name := range records[0] {
		if name == "end_user" && records[1][i] != want["end_user"] || name == "cost_usd" && (records[1][i] != "0.000000077" || records[2][i] != "") {
			t.Errorf("%s is %q and %q", name, records[1][i], records[2][i])
		}
	}
	if table := d.must("usage", "rows", "--since", "2026-01-01"); strings.Count(table, "\n") != 3 || strings.Contains(table, "\x1b") || !strings.Contains(table, "no price") {
		t.Errorf("the table says\n%s", table)
	}
}

func TestUsageReprice(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	free := entryAt(d.now.Add(-time.Hour), 1, "gpt", 1000, 10)
	free.Charge = storage.Charge{Unpriced: "no price"}
	claude := entryAt(d.now.Add(-time.Hour), 2, "claude", 1000, 10)
	claude.CostNano = 1
	d.spent(free, claude)
	f := func(want string, args ...string) {
		t.Helper()
		if got := d.must(append([]string{"usage", "reprice", "--json", "--from", "24h"}, args...)...); got != "["+want+"]\n" {
			t.Errorf("%q: got %s want %s", args, got, want)
		}
	}
	// 1,000 and 10 tokens at 1 and 2 USD a million.
	change := `"cost_usd_before":0.000000001,"cost_usd_after":0.00204,"unpriced_before":1,"unpriced_after":0}`
	f(`{"seen":2,"changed":2,"dry_run":true,`+change, "--model", "*", "--dry-run")
	f(`{"seen":2,"changed":2,"dry_run":true,`+change, "--model", "mock/*", "--dry-run") // as nothing was changed
	f(`{"seen":1,"changed":1,"dry_run":false,"cost_usd_before":0,"cost_usd_after":0.00102,"unpriced_before":1,"unpriced_after":0}`, "--model", "mock/gpt")
	f(`{"seen":1,"changed":0,"dry_run":false,"cost_usd_before":0.00102,"cost_usd_after":0.00102,"unpriced_before":0,"unpriced_after":0}`, "--model", "gpt")

	rows := flat(t, d.must("usage", "rows", "--json"))
	if len(rows) != 2 || rows[0]["revision"] != 2.0 || rows[0]["cost_usd"] != 0.00102 || rows[1]["revision"] != 1.0 {
		t.Errorf("rows %v", rows)
	}
	if sum := flat(t, d.must("usage", "--json"))[0]; sum["cost_usd"] != 0.001020001 || sum["requests"] != 2.0 || sum["unpriced"] != 0.0 {
		t.Errorf("sum %v", sum)
	}

	// The configuration's own price goes before the catalogue's, and before the store's.
	d.vars["AISTRALE_PRICES"] = "[{model: mock/claude, input: 5, output: 0}]"
	f(`{"seen":1,"changed":1,"dry_run":false,"cost_usd_before":0.000000001,"cost_usd_after":0.005,"unpriced_before":0,"unpriced_after":0}`, "--model", "claude")
	if said := d.must("usage", "reprice", "--from", "24h", "--model", "*"); said != "0 of 2 rows corrected: 0.00602 USD before, 0.00602 USD after; without a price 0 before, 0 after.\n" {
		t.Errorf("said %q", said)
	}
}

// A price that is known later prices what was counted, and makes nothing free that was not.
func TestUsage_repriceUnits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := d.now.Add(-time.Hour)
	heard, unheard := entryAt(at, 1, "whisper-1", 0, 0), entryAt(at, 2, "whisper-1", 0, 0)
	heard.Op, heard.Lines = "transcription", []providers.Normal{{AudioInMs: 1500}}
	unheard.Op, unheard.Lines = "transcription", []providers.Normal{{}}
	for _, e := range []*storage.Entry{&heard, &unheard} {
		e.Charge = storage.Charge{Unpriced: "no price"}
	}
	d.spent(heard, unheard)
	d.must("usage", "reprice", "--from", "24h", "--model", "*")
	rows := flat(t, d.must("usage", "rows", "--json"))
	if len(rows) != 2 || rows[0]["cost_usd"] != 0.00015 || rows[1]["cost_usd"] != nil || rows[1]["unpriced"] != "no usage told" {
		t.Errorf("%v", rows)
	}
}
