package policy

import (
	"math"
	"math/bits"
	"time"
)

// ForecastDays is how many whole days a forecast rests on at most: four of each weekday.
const ForecastDays = 28

// Spending is what was spent lately, in nano-USD: Days are whole days of UTC before today, the
// oldest first, of which those before the first spending are left out; Today is since midnight.
type Spending struct {
	Days  []int64
	Today int64
	Now   time.Time
}

// Outlook is what is likely to be spent until an end, beside what is spent already.
type Outlook struct{ Likely, Low, High int64 }

// Until gives what is likely to be spent from now to an end: of each day that is left the average
// of the same weekday's, or of all days where there is none of that weekday yet. Low and High take
// the least and the most of them. Of no whole day at all it goes on as today; ok is false where
// today is younger than an hour.
func (s *Spending) Until(end time.Time) (o Outlook, ok bool) {
	ok = s.walk(end, func(_, _ time.Time, day Outlook) bool {
		o.Likely, o.Low, o.High = plus(o.Likely, day.Likely), plus(o.Low, day.Low), plus(o.High, day.High)
		return true
	})
	return o, ok
}

// Gone gives when an amount is likely to be spent, where that is before an end.
func (s *Spending) Gone(amount int64, end time.Time) (at time.Time, ok bool) {
	s.walk(end, func(from, to time.Time, day Outlook) bool {
		if day.Likely > 0 && day.Likely >= amount {
			at, ok = from.Add(time.Duration(shareIn(int64(to.Sub(from)), max(0, amount), day.Likely))), true
			return false
		}
		amount -= day.Likely
		return true
	})
	return at, ok
}

// walk goes through what is left of today, and then through the days to an end, the last of which
// may be a part of one. It reports whether there is anything to go by.
func (s *Spending) walk(end time.Time, f func(from, to time.Time, likely Outlook) bool) bool {
	const day = 24 * time.Hour
	midnight := s.Now.UTC().Truncate(day)
	passed := s.Now.Sub(midnight)
	if len(s.Days) == 0 && passed < time.Hour {
		return false
	}
	for from := s.Now; from.Before(end); {
		to := from.UTC().Truncate(day).Add(day)
		if end.Before(to) {
			to = end
		}
		whole, of := s.weekday(midnight, from), day
		if len(s.Days) == 0 {
			whole, of = Outlook{s.Today, s.Today, s.Today}, passed
		}
		span := int64(to.Sub(from))
		if !f(from, to, Outlook{shareIn(whole.Likely, span, int64(of)), shareIn(whole.Low, span, int64(of)), shareIn(whole.High, span, int64(of))}) {
			break
		}
		from = to
	}
	return true
}

// weekday gives the average, the least and the most of the days that were of one's weekday.
func (s *Spending) weekday(midnight, at time.Time) Outlook {
	var same []int64
	for i, spent := range s.Days {
		if midnight.AddDate(0, 0, i-len(s.Days)).Weekday() == at.UTC().Weekday() {
			same = append(same, spent)
		}
	}
	if len(same) == 0 {
		same = s.Days
	}
	if len(same) == 0 {
		return Outlook{}
	}
	o := Outlook{Low: math.MaxInt64}
	var sum int64
	for _, spent := range same {
		sum = plus(sum, spent)
		o.Low, o.High = min(o.Low, spent), max(o.High, spent)
	}
	o.Likely = sum / int64(len(same))
	return o
}

// shareIn is amount × share / whole, rounded down; nothing is negative.
func shareIn(amount, share, whole int64) int64 {
	if amount <= 0 || share <= 0 || whole <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(amount), uint64(share))
	if high >= uint64(whole) {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return int64(min(quotient, math.MaxInt64))
}
