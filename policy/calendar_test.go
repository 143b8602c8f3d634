package policy

import (
	"os"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func zoned(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestCalendarSpan(t *testing.T) {
	f := func(per storage.BudgetSpan, zone, now, id, start, end string) {
		t.Helper()
		at := func(text string) time.Time {
			t.Helper()
			out, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		w, got := calendarSpan(per, zoned(t, zone), at(now))
		if got != id || !w.Start.Equal(at(start)) || !w.End.Equal(at(end)) {
			t.Errorf("%s of %s in %s: %s from %s to %s; want %s from %s to %s", per, now, zone, got, w.Start.UTC(), w.End.UTC(), id, start, end)
		}
	}
	f(storage.SpanDay, "UTC", "2026-11-23T04:00:00Z", "2026-11-23", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z")
	f(storage.SpanDay, "UTC", "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z")
	f(storage.SpanDay, "UTC", "2026-11-22T23:59:59Z", "2026-11-22", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")
	f(storage.SpanWeek, "UTC", "2026-11-22T12:00:00Z", "2026-11-16", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z") // a Sunday
	f(storage.SpanWeek, "UTC", "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z") // a Monday
	f(storage.SpanWeek, "UTC", "2027-01-01T12:00:00Z", "2026-12-28", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z") // over the year's end
	f(storage.SpanMonth, "UTC", "2028-02-29T12:00:00Z", "2028-02-01", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z")
	f(storage.SpanMonth, "UTC", "2026-12-31T23:59:59Z", "2026-12-01", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")
	f(storage.SpanMonth, "UTC", "2026-03-31T12:00:00Z", "2026-03-01", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
	f(storage.SpanDay, "Asia/Tokyo", "2026-11-22T15:00:00Z", "2026-11-23", "2026-11-22T15:00:00Z", "2026-11-23T15:00:00Z")
	f(storage.SpanMonth, "America/Los_Angeles", "2026-12-01T07:59:59Z", "2026-11-01", "2026-11-01T07:00:00Z", "2026-12-01T08:00:00Z")
	// A day of 23 hours, and one of 25.
	f(storage.SpanDay, "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")
	f(storage.SpanDay, "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")
	// No midnight: clocks were set forward at 0:00.
	f(storage.SpanDay, "America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-03", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z")
	f(storage.SpanDay, "America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z")
	f(storage.SpanDay, "Asia/Beirut", "2022-03-26T22:00:00Z", "2022-03-27", "2022-03-26T22:00:00Z", "2022-03-27T21:00:00Z")
	// A day that never was: Samoa went over the date line.
	f(storage.SpanDay, "Pacific/Apia", "2011-12-30T11:00:00Z", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z")
}

// Spans follow one another without a gap, in any zone, at any time.
func TestCalendarSpansJoin(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Asuncion"}
	for _, name := range zones {
		zone := zoned(t, name)
		for _, per := range []storage.BudgetSpan{storage.SpanDay, storage.SpanWeek, storage.SpanMonth} {
			now, end := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC), 2013
			if os.Getenv("AISTRALE_PROVE") != "" {
				now, end = now.AddDate(-20, 0, 0), 2038
			}
			last, lastID := calendarSpan(per, zone, now)
			ids := map[string]bool{lastID: true}
			for ; now.Year() < end; now = now.Add(29 * time.Minute) {
				if now.Before(last.End) && !now.Before(last.Start) && now.Hour() != 5 { // within, mostly believed
					continue
				}
				w, id := calendarSpan(per, zone, now)
				if now.Before(w.Start) || !now.Before(w.End) {
					t.Fatalf("%s of %s in %s is from %s to %s", per, now, name, w.Start, w.End)
				}
				if w == last && id == lastID {
					continue
				}
				if !w.Start.Equal(last.End) || ids[id] {
					t.Fatalf("%s in %s: %s begins at %s, the one before ended at %s", per, name, id, w.Start.UTC(), last.End.UTC())
				}
				ids[id] = true
				last, lastID = w, id
			}
		}
	}
}
