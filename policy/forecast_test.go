package policy

import (
	"testing"
	"time"
)

func TestSpending(t *testing.T) {
	// A Thursday; the month has 4 days left after it.
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	week := func(monday, rest int64) (days []int64) { // four weeks that end on Wednesday
		for i := range ForecastDays {
			if noon.AddDate(0, 0, i-ForecastDays).Weekday() == time.Monday {
				days = append(days, monday+int64(i/7))
			} else {
				days = append(days, rest)
			}
		}
		return days
	}
	f := func(name string, s Spending, want Outlook) {
		t.Helper()
		s.Now = noon
		if got, ok := s.Until(end); !ok || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, ok, want)
		}
	}
	f("even", Spending{Days: week(100, 100)}, Outlook{50 + 4*100 + 1, 50 + 4*100, 50 + 4*100 + 3}) // the Monday is 100 to 103
	f("weekdays", Spending{Days: week(1000, 10)}, Outlook{5 + 3*10 + 1001, 5 + 30 + 1000, 5 + 30 + 1003})
	f("two days known", Spending{Days: []int64{10, 30}}, Outlook{10 + 4*20, 5 + 4*10, 15 + 4*30})
	f("today alone", Spending{Today: 12}, Outlook{12 + 4*24, 108, 108})
	f("nothing", Spending{Days: []int64{0, 0}}, Outlook{})
	f("large", Spending{Days: []int64{1 << 60}}, Outlook{4*(1<<60) + 1<<59, 4*(1<<60) + 1<<59, 4*(1<<60) + 1<<59})

	if _, ok := (&Spending{Today: 5, Now: noon.Add(-11*time.Hour - time.Minute)}).Until(end); ok {
		t.Error("a forecast of less than an hour")
	}
	s := Spending{Days: week(100, 100), Now: noon}
	g := func(amount int64, want time.Time) {
		t.Helper()
		if at, ok := s.Gone(amount, end); ok != !want.IsZero() || !at.Equal(want) {
			t.Errorf("%d: %v, %v, want %v", amount, at, ok, want)
		}
	}
	g(0, noon)
	g(-5, noon)
	g(50, noon.Add(12*time.Hour))
	g(75, noon.Add(18*time.Hour))
	g(150, noon.Add(36*time.Hour))
	g(1000, time.Time{})
}
