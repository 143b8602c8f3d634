package policy

import (
	"time"

	"github.com/aistrale/aistrale/storage"
)

// calendarSpan gives the calendar span that a time is in, and its id: the date it begins with.
// Spans follow one another without a gap and without an overlap, also where clocks are set.
func calendarSpan(per storage.BudgetSpan, zone *time.Location, now time.Time) (w Window, id string) {
	first := firstDay(per, now.In(zone))
	// Where clocks are set back over midnight a date comes twice: now may be in the span before.
	for now.Before(midnight(first, zone)) {
		first = step(per, first, -1)
	}
	next := step(per, first, 1)
	for !now.Before(midnight(next, zone)) {
		first, next = next, step(per, next, 1)
	}
	return Window{Start: midnight(first, zone), End: midnight(next, zone)}, first.Format(time.DateOnly)
}

// firstDay is the first day of the span that a local time is in, as noon of that day in UTC,
// where dates can be counted.
func firstDay(per storage.BudgetSpan, local time.Time) time.Time {
	year, month, day := local.Date()
	date := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
	switch per {
	case storage.SpanWeek:
		return date.AddDate(0, 0, -(int(date.Weekday())+6)%7) // back to Monday
	case storage.SpanMonth:
		return date.AddDate(0, 0, 1-day)
	case storage.SpanDay, storage.SpanRolling, storage.SpanTotal:
	}
	return date
}

func step(per storage.BudgetSpan, first time.Time, n int) time.Time {
	switch per {
	case storage.SpanWeek:
		return first.AddDate(0, 0, 7*n)
	case storage.SpanMonth:
		return first.AddDate(0, n, 0)
	case storage.SpanDay, storage.SpanRolling, storage.SpanTotal:
	}
	return first.AddDate(0, 0, n)
}

// midnight is the first moment of a date. Where clocks are set forward at midnight there is no
// 0:00, and what package time gives for it may still be in the day before.
func midnight(date time.Time, zone *time.Location) time.Time {
	year, month, day := date.Date()
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if t.Day() != day {
		if _, end := t.ZoneBounds(); !end.IsZero() {
			return end
		}
	}
	return t
}
