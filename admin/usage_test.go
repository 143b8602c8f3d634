package admin

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func (a *testAPI) budgets(_ context.Context, workspace string) ([]BudgetStands, error) {
	if workspace != storage.DefaultWorkspace {
		return nil, nil
	}
	return a.stands, nil
}

// usedAt is a served call of a time.
func usedAt(at time.Time, n int, nano int64) storage.Entry {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|0x7000)
	id[8] = 0x80
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return storage.Entry{
		RequestID: id, Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true, Time: at, Op: "chat", Status: 200, Outcome: storage.OutcomeOK,
		Series: storage.Series{Workspace: "default", Project: "web", Key: "abcd1234", KeyName: "ci", User: "ada", Provider: "openai", Model: "gpt"},
		Lines:  []providers.Normal{{InputUncached: 3, Output: 2}}, Charge: storage.Charge{CostNano: nano, PriceID: "p"},
		Stream: true, FirstByte: 10 * time.Millisecond, Duration: 100 * time.Millisecond,
	}
}

// randomUsage are calls of the last days, of several series and ends.
func randomUsage(now time.Time, n int) (entries []storage.Entry) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	for i := range n {
		e := usedAt(now.Add(-time.Duration(random.Int64N(int64(20*24*time.Hour)))), i, random.Int64N(1_000_000_000))
		e.Project, e.Provider, e.Model, e.User = pick("web", "batch"), pick("openai", "anthropic"), pick("gpt", "opus", "=HYPERLINK(1)", "+a,\"b\""), pick("ada", "grace", "")
		e.KeyName, e.Prompt, e.Op = pick("ci", "web"), pick("", "greeting@3"), pick("chat", "embeddings")
		e.Key = map[string]string{"ci": "abcd1234", "web": "wxyz6789"}[e.KeyName]
		e.Duration, e.FirstByte, e.Stream = time.Duration(random.Int64N(int64(20*time.Second))), time.Duration(random.Int64N(int64(2*time.Second))), random.IntN(2) == 0
		if random.IntN(5) == 0 {
			e.Charge = storage.Charge{Unpriced: "no price"}
		}
		if random.IntN(4) == 0 {
			e.Status, e.Outcome, e.Fault = 502, storage.OutcomeUpstreamError, pick("upstream_error", "overloaded")
		}
		if random.IntN(6) == 0 {
			e.Final = false
		}
		for _, tag := range []string{"a", "b"} {
			if random.IntN(2) == 0 {
				e.Tags = append(e.Tags, tag)
			}
		}
		entries = append(entries, e)
	}
	return entries
}

type usageList struct {
	Data       []UsageRow `json:"data"`
	NextCursor string     `json:"next_cursor"`
}

// sums reads a whole answer, page by page.
func (a *testAPI) sums(query string) (rows []UsageRow) {
	a.t.Helper()
	for cursor := ""; ; {
		var page usageList
		do(a.t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage?limit=7&cursor="+cursor+query, "").body), &page))
		rows = append(rows, page.Data...)
		if cursor = page.NextCursor; cursor == "" {
			return rows
		}
	}
}

// figuresOf adds up what is exact.
func figuresOf(t *testing.T, rows []UsageRow) string {
	t.Helper()
	var n [6]int64
	cost := new(big.Rat)
	for i := range rows {
		r := &rows[i]
		for j, v := range []int64{r.Requests, r.Errors, r.Attempts, r.InputTokens, r.OutputTokens, r.Unpriced} {
			n[j] += v
		}
		if r.CostUSD != nil {
			c, ok := new(big.Rat).SetString(*r.CostUSD)
			if !ok {
				t.Fatalf("%q is no number", *r.CostUSD)
			}
			cost.Add(cost, c)
		}
	}
	return fmt.Sprint(n, " ", cost.FloatString(9))
}

// Whatever is asked by, the groups make the whole: from roll-ups and from rows, in pages and as a file.
func TestUsage(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		all := randomUsage(a.clock, 300)
		other := usedAt(a.clock.Add(-time.Hour), 1000, 5)
		other.Workspace = "other"
		do(t, a.books.Write(t.Context(), append(all, other)))
		var reference storage.Totals
		for i := range all {
			one := storage.TotalsOf(&all[i])
			reference.Add(&one)
		}
		whole := a.sums("")
		want := fmt.Sprint([]int64{300 - 0, 0}[:0], figuresOf(t, whole))
		if whole[0].Attempts != 300 || *whole[0].CostUSD != storage.FormatUSD(reference[storage.CostNano]) || whole[0].Requests != reference[storage.Requests] || whole[0].Errors != reference[storage.Errors] {
			t.Fatalf("%+v", whole[0])
		}
		for _, by := range []string{"project", "key", "user", "provider,model", "prompt", "operation", "outcome,status,fault", "model,operation", "key,user,project,outcome"} {
			for _, per := range []string{"", "&per=hour", "&per=day", "&per=week", "&per=month"} {
				rows := a.sums("&by=" + by + per)
				if got := fmt.Sprint([]int64{}, figuresOf(t, rows)); got != want {
					t.Errorf("by %s%s: %s, want %s", by, per, got, want)
				}
				records := a.csv("/usage/export?by=" + by + per)
				if len(records)-1 != len(rows) {
					t.Errorf("by %s%s: the file has %d rows, the pages %d", by, per, len(records)-1, len(rows))
				}
			}
		}
		for _, where := range []string{"model=gpt", "user=ada&project=b*", "tag=a", "key=ci", "outcome=ok"} {
			sums, rows := figuresOf(t, a.sums("&"+where)), figuresOf(t, a.sums("&by=operation&"+where))
			if sums != rows {
				t.Errorf("%s: roll-ups have %s, rows %s", where, sums, rows)
			}
		}
		if got := a.sums("&by=tag"); len(got) != 2 || *got[0].Tag != "a" {
			t.Errorf("%+v", got)
		}
		if week := a.sums("&per=week"); week[0].Start.Weekday() != time.Monday || len(week) < 3 {
			t.Errorf("%+v", week)
		}
	})
}

func (a *testAPI) csv(path string) [][]string {
	a.t.Helper()
	got := a.wants(200, a.root, "GET", path, "")
	if !strings.HasPrefix(got.header.Get("content-type"), "text/csv") {
		a.t.Errorf("%s: %q", path, got.header.Get("content-type"))
	}
	records, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	do(a.t, err)
	return records
}

// What a client named is no formula in a file.
func TestUsageExport(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		do(t, a.books.Write(t.Context(), randomUsage(a.clock, 50)))
		for _, path := range []string{"/usage/export?by=model,provider", "/usage/rows?"} {
			for _, record := range a.csv(path) {
				for _, cell := range record {
					if _, err := strconv.ParseFloat(cell, 64); err != nil && cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
						t.Errorf("%s: %q", path, cell)
					}
				}
			}
		}
		if rows := a.csv("/usage/rows?limit=20"); len(rows) != 21 {
			t.Errorf("%d rows", len(rows))
		}
		failed := a.csv("/usage/rows?outcome=upstream_error&limit=3")
		if len(failed) != 4 || failed[1][slices.Index(failed[0], "status")] != "502" {
			t.Errorf("%q", failed)
		}
		var rows []map[string]any
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage/rows?format=json", "").body), &rows))
		if len(rows) != 50 {
			t.Errorf("%d rows", len(rows))
		}
		viewer := a.user("eve", "default", storage.RoleViewer)
		a.wants(403, viewer, "GET", "/usage/rows", "")
		a.wants(200, viewer, "GET", "/usage/export", "")
	})
}

// Percentiles come from buckets, each 1.5 times as wide as the one before.
func TestUsagePercentiles(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		random := rand.New(rand.NewPCG(8, 9))
		var entries []storage.Entry
		var whole, first []float64
		for i := range 500 {
			e := usedAt(a.clock.Add(-time.Duration(i)*time.Minute), i, 1)
			e.Duration, e.FirstByte = time.Duration(random.ExpFloat64()*float64(2*time.Second)), time.Duration(1+random.ExpFloat64()*float64(300*time.Millisecond))
			if e.Stream = i%2 == 0; e.Stream {
				first = append(first, float64(e.FirstByte.Microseconds())/1000)
			}
			entries, whole = append(entries, e), append(whole, float64(e.Duration.Microseconds())/1000)
		}
		do(t, a.books.Write(t.Context(), entries))
		slices.Sort(whole)
		slices.Sort(first)
		got := a.sums("")[0]
		f := func(name string, got *float64, sorted []float64, q float64) {
			t.Helper()
			want := sorted[int(q*float64(len(sorted)))-1]
			if got == nil || *got < want/1.5 || *got > want*1.5 {
				t.Errorf("%s is %v, want about %v", name, got, want)
			}
		}
		f("p50", got.LatencyP50, whole, 0.5)
		f("p90", got.LatencyP90, whole, 0.9)
		f("p99", got.LatencyP99, whole, 0.99)
		f("first token p50", got.FirstTokenP50, first, 0.5)
		f("first token p90", got.FirstTokenP90, first, 0.9)
		f("first token p99", got.FirstTokenP99, first, 0.99)
		rows := a.sums("&by=operation")[0]
		if *rows.LatencyP90 != *got.LatencyP90 || *rows.FirstTokenP99 != *got.FirstTokenP99 {
			t.Error("rows and roll-ups tell different percentiles")
		}
	})
}

func TestUsageWrong(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		f := func(names, path string) {
			t.Helper()
			if got := a.wants(422, a.root, "GET", path, ""); !strings.Contains(got.body, `"query.`+names) {
				t.Errorf("%s: %s", path, got.body)
			}
		}
		f("by", "/usage?by=colour")
		f("by", "/usage?by=key,key")
		f("per", "/usage?per=year")
		f("from", "/usage?from=yesterday")
		f("from", "/usage?from=2026-02-01&to=2026-01-01")
		f("bye", "/usage?bye=key")
		f("limit", "/usage?limit=0")
		f("by", "/usage/top")
		f("period", "/usage/forecast?period=year")
		f("hours", "/usage/anomalies?hours=1000")
		f("format", "/usage/export?format=xls")
		f("model", "/usage/errors?model="+strings.Repeat("a,", 60)+"a")
		f("model", "/usage/errors?model=a&model=b")
	})
}

func TestUsageTopAndErrors(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		var entries []storage.Entry
		for i, cost := range []int64{5, 100, 30, 30} {
			e := usedAt(a.clock.Add(-time.Hour), i, cost*1_000_000_000)
			e.User = fmt.Sprint("user-", i)
			entries = append(entries, e)
		}
		retried := usedAt(a.clock.Add(-time.Hour), 9, 0)
		retried.User, retried.Final, retried.Outcome, retried.Status, retried.Fault = "user-0", false, storage.OutcomeUpstreamError, 503, "overloaded"
		failed := retried
		failed.Attempt, failed.Final = 2, true
		do(t, a.books.Write(t.Context(), append(entries, retried, failed)))
		var top Top
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage/top?by=user&limit=2", "").body), &top))
		if len(top.Data) != 2 || *top.Data[0].User != "user-1" || *top.Data[1].User != "user-2" || *top.Total.CostUSD != "165" {
			t.Errorf("%+v", top)
		}
		var wrong UsageErrors
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage/errors?by=user", "").body), &wrong))
		want := ErrorCount{Outcome: "upstream_error", Status: "503", Fault: "overloaded", Requests: 1, Attempts: 2}
		if len(wrong.Data) != 1 || wrong.Requests != 5 || *wrong.Data[0].User != "user-0" {
			t.Fatalf("%+v", wrong)
		}
		if wrong.Data[0].User = nil; wrong.Data[0] != want {
			t.Errorf("%+v", wrong.Data[0])
		}
	})
}

// Four weeks of 10 USD a day, at noon on the 26th of a month of 30 days.
func TestUsageForecast(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		const usd = 1_000_000_000
		var entries []storage.Entry
		today := a.clock.Truncate(24 * time.Hour)
		for day := range 29 {
			entries = append(entries, usedAt(today.AddDate(0, 0, day-28).Add(8*time.Hour), day, 10*usd))
		}
		do(t, a.books.Write(t.Context(), entries))
		a.stands = []BudgetStands{
			{Scope: "key/ci", Per: "month", Limit: 275 * usd, Spent: 260 * usd, End: today.AddDate(0, 0, 5), Where: []storage.Filter{{Dimension: storage.ByKey, Values: []string{"ci"}}}, Counts: func(string, string) bool { return true }},
			{Scope: "project/none", Per: "month", Limit: 10 * usd, Spent: usd, End: today.AddDate(0, 0, 5), Where: []storage.Filter{{Dimension: storage.ByProject, Values: []string{"none"}}}, Counts: func(string, string) bool { return true }},
		}
		var got UsageForecast
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage/forecast", "").body), &got))
		// 26 days of 10, half of today, four days.
		if got.Spent != "260" || *got.Likely != "305" || *got.Low != "305" || got.Days != 28 || len(got.Budgets) != 2 {
			t.Fatalf("%+v", got)
		}
		if b := got.Budgets[0]; *b.Likely != "305" || b.SpentAt == nil || !b.SpentAt.Equal(today.AddDate(0, 0, 2)) { // 5 today, 10 tomorrow
			t.Errorf("%+v", b)
		}
		if b := got.Budgets[1]; *b.Likely != "1" || b.SpentAt != nil {
			t.Errorf("%+v", b)
		}
		var week UsageForecast
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage/forecast?period=week&model=gpt", "").body), &week))
		if week.Spent != "40" || *week.Likely != "75" || len(week.Budgets) != 0 { // Monday to Thursday
			t.Errorf("%+v", week)
		}
		var none UsageForecast
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage/forecast?model=none", "").body), &none))
		if none.Spent != "0" || *none.Likely != "0" {
			t.Errorf("%+v", none)
		}
	})
}

func TestUsageAnomalies(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		var entries []storage.Entry
		for hour := range 30 * 24 {
			at := a.clock.Add(-time.Duration(hour+1) * time.Hour)
			e := usedAt(at, hour, 1_000_000_000)
			if hour == 5 {
				e.CostNano = 3_000_000_000
			}
			steady := usedAt(at, 10_000+hour, 2_000_000_000)
			steady.Model = "steady"
			entries = append(entries, e, steady)
		}
		do(t, a.books.Write(t.Context(), entries))
		var got UsageAnomalies
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage/anomalies?by=model", "").body), &got))
		want := UsageAnomaly{At: a.clock.Add(-6 * time.Hour), Of: "gpt", Value: "3", Usual: "1", High: true, Score: 20, Samples: 12}
		if got.Judged != 48 || got.Learning != 0 || len(got.Data) != 1 || got.Data[0] != want {
			t.Errorf("%+v", got)
		}
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/usage/anomalies?measure=requests", "").body), &got))
		if len(got.Data) != 0 || got.Judged != 24 {
			t.Errorf("%+v", got)
		}
	})
}
