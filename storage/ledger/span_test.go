package ledger

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// at reads a moment, "" as none.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	moment, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestSpans(t *testing.T) {
	f := func(per storage.Period, from, to string, b Borders, want ...string) {
		t.Helper()
		var got []string
		for _, s := range Spans(&storage.UsageQuery{From: at(t, from), To: at(t, to), Per: per}, b) {
			got = append(got, string(s.Period)+" "+time.Unix(s.From, 0).UTC().Format(time.DateTime)+" to "+time.Unix(s.To, 0).UTC().Format(time.DateTime))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q from %s to %s: got\n%q, want\n%q", per, from, to, got, want)
		}
	}
	none := Borders{}
	f("", "2026-01-01 00:00:00", "2026-02-01 00:00:00", none, "day 2026-01-01 00:00:00 to 2026-02-01 00:00:00")
	f("", "2026-01-01 22:58:30", "2026-01-04 01:02:03", none,
		"minute 2026-01-01 22:58:00 to 2026-01-01 23:00:00",
		"hour 2026-01-01 23:00:00 to 2026-01-02 00:00:00",
		"day 2026-01-02 00:00:00 to 2026-01-04 00:00:00",
		"hour 2026-01-04 00:00:00 to 2026-01-04 01:00:00",
		"minute 2026-01-04 01:00:00 to 2026-01-04 01:03:00")
	f("", "2026-01-01 10:10:00", "2026-01-01 10:20:00", none, "minute 2026-01-01 10:10:00 to 2026-01-01 10:20:00")
	f("", "2026-01-01 10:10:10", "2026-01-01 10:10:10", none, "minute 2026-01-01 10:10:00 to 2026-01-01 10:11:00")
	f("", "2026-01-01 10:10:00", "2026-01-01 10:10:00", none)
	f("", "2026-01-02 00:00:00", "2026-01-01 00:00:00", none)
	f(storage.Hour, "2026-01-01 00:00:00", "2026-01-03 00:00:00", none, "hour 2026-01-01 00:00:00 to 2026-01-03 00:00:00")
	f(storage.Minute, "2026-01-01 00:00:00", "2026-01-03 00:00:00", none, "minute 2026-01-01 00:00:00 to 2026-01-03 00:00:00")

	// Minutes are gone before the 10th at noon, hours before the 5th.
	b := Borders{Minutes: at(t, "2026-01-10 12:00:00").Unix(), Hours: at(t, "2026-01-05 00:00:00").Unix()}
	f("", "2026-01-04 10:00:00", "2026-01-04 11:00:00", b, "day 2026-01-04 00:00:00 to 2026-01-05 00:00:00")
	f("", "2026-01-06 10:10:00", "2026-01-06 10:20:00", b, "hour 2026-01-06 10:00:00 to 2026-01-06 11:00:00")
	f("", "2026-01-10 11:30:00", "2026-01-10 12:30:00", b,
		"hour 2026-01-10 11:00:00 to 2026-01-10 12:00:00", "minute 2026-01-10 12:00:00 to 2026-01-10 12:30:00")
	f(storage.Minute, "2026-01-04 23:30:00", "2026-01-10 12:01:00", b,
		"day 2026-01-04 00:00:00 to 2026-01-05 00:00:00",
		"hour 2026-01-05 00:00:00 to 2026-01-10 12:00:00",
		"minute 2026-01-10 12:00:00 to 2026-01-10 12:01:00")
}

// Spans never overlap and leave no hole; they reach beyond the question only as far as the
// shortest period that is kept there.
func TestSpansCover(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		q, b := randomSpan(random)
		spans := Spans(&q, b)
		from, to := floor(q.From.Unix(), storage.Minute), ceil(q.To.Unix(), storage.Minute)
		if from >= to {
			if len(spans) > 0 {
				t.Fatalf("%+v: %+v of nothing", q, spans)
			}
			continue
		}
		for i, s := range spans {
			c := cover{borders: b}
			if s.From >= s.To || s.From%seconds(s.Period) != 0 || s.To%seconds(s.Period) != 0 {
				t.Fatalf("%+v %+v: %+v is not at whole periods", q, b, s)
			}
			if i > 0 && spans[i-1].To != s.From {
				t.Fatalf("%+v %+v: a hole or an overlap in %+v", q, b, spans)
			}
			if s.Period != storage.Day && !c.kept(s.Period, s.From) {
				t.Fatalf("%+v %+v: %+v is not kept", q, b, s)
			}
		}
		first, last := spans[0], spans[len(spans)-1]
		if first.From > from || last.To < to || first.From < from-from%seconds(kept(b, from)) || last.To > ceil(to, kept(b, to-1)) {
			t.Fatalf("%+v %+v: %+v is not the span asked for", q, b, spans)
		}
		if q.Per == "" && len(spans) > 5 {
			t.Fatalf("%+v %+v: %+v are too many", q, b, spans)
		}
	}
}

func randomSpan(random *rand.Rand) (storage.UsageQuery, Borders) {
	const days = 10 * 86400
	moment := func() int64 {
		second := random.Int64N(days)
		return second - second%[]int64{1, 60, 3600, 86400}[random.IntN(4)]
	}
	now := time.Unix(random.Int64N(days), 0)
	b := Borders{Hours: Trimmed(storage.Hour, now, time.Duration(random.IntN(9)*24)*time.Hour)}
	b.Minutes = max(b.Hours, Trimmed(storage.Minute, now, time.Duration(random.IntN(99))*time.Hour))
	q := storage.UsageQuery{From: time.Unix(moment(), 0), To: time.Unix(moment()+1, 0)}
	q.Per = []storage.Period{"", storage.Minute, storage.Hour, storage.Day}[random.IntN(4)]
	return q, b
}

// kept is the shortest period that is kept at a moment.
func kept(b Borders, second int64) storage.Period {
	switch {
	case second < b.Hours:
		return storage.Day
	case second < b.Minutes:
		return storage.Hour
	}
	return storage.Minute
}

func seconds(p storage.Period) int64 { return int64(p.Length() / time.Second) }

func TestTrimmed(t *testing.T) {
	now := at(t, "2026-01-10 12:34:56")
	f := func(p storage.Period, keep time.Duration, want string) {
		t.Helper()
		if got := time.Unix(Trimmed(p, now, keep), 0).UTC().Format(time.DateTime); got != want {
			t.Errorf("%s kept for %v go before %s, want %s", p, keep, got, want)
		}
	}
	f(storage.Minute, 90*time.Minute, "2026-01-10 11:00:00")
	f(storage.Hour, 24*time.Hour, "2026-01-09 00:00:00")
	f(storage.Day, 24*time.Hour, "2026-01-09 00:00:00")
	f(storage.Day, 0, "1970-01-01 00:00:00")
	f(storage.Day, 100*365*24*time.Hour, "1970-01-01 00:00:00")
}
