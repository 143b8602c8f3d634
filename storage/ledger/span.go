package ledger

import (
	"math"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Span is a run of roll-ups of one period. From and To, which is exclusive, are seconds since
// 1970 at whole periods.
type Span struct {
	Period   storage.Period
	From, To int64
}

// Borders says before when minutes and hours may be gone, in seconds since 1970; 0: nothing is.
// Minutes lies at a whole hour and Hours at a whole day, as Trimmed makes them.
type Borders struct{ Minutes, Hours int64 }

// Trimmed gives the start before which roll-ups of a period, kept for so long, may go. It lies
// at a whole longer period, so that the longer ones answer for all that is gone.
func Trimmed(p storage.Period, now time.Time, keep time.Duration) int64 {
	if keep <= 0 {
		return 0
	}
	before := max(0, now.Add(-keep).Unix())
	if p == storage.Day {
		return floor(before, p)
	}
	return floor(before, longer(p))
}

// endOfTime is later than any entry, and whole days from 1970.
const endOfTime = math.MaxInt32 * int64(86400)

// Spans gives the roll-ups that answer for a query's span, as few as there can be, by time. A
// zero To is the end of time.
func Spans(q *storage.UsageQuery, b Borders) []Span {
	from, to := max(0, q.From.Unix()), endOfTime
	if !q.To.IsZero() {
		to = q.To.Unix()
		if q.To.Nanosecond() > 0 {
			to++
		}
		to = ceil(min(to, endOfTime), storage.Minute)
	}
	from = floor(from, storage.Minute)
	if from >= to {
		return nil
	}
	var spans []Span
	cut := cover{borders: b, add: func(s Span) { spans = append(spans, s) }}
	switch q.Per {
	case storage.Minute, storage.Hour:
		// A longer roll-up has no place in a shorter bucket, but where it is all there is.
		cut.days(&from, to)
		if q.Per == storage.Minute {
			cut.hours(&from, to)
		}
		cut.by(q.Per, from, to)
	default:
		cut.by(storage.Day, from, to)
	}
	return spans
}

// cover finds spans.
type cover struct {
	borders Borders
	add     func(Span)
}

// days covers what is older than any hour.
func (c *cover) days(from *int64, to int64) {
	if end := min(to, c.borders.Hours); *from < end {
		c.by(storage.Day, *from, end)
		*from = max(*from, ceil(end, storage.Day))
	}
}

// hours covers what is older than any minute.
func (c *cover) hours(from *int64, to int64) {
	if end := min(to, c.borders.Minutes); *from < end {
		c.by(storage.Hour, *from, end)
		*from = max(*from, ceil(end, storage.Hour))
	}
}

// by covers a span by a period, and its ragged ends by the shorter one where that is kept, else
// by one more of this.
func (c *cover) by(p storage.Period, from, to int64) {
	if from >= to {
		return
	}
	first, last := floor(from, p), floor(to, p)
	length := int64(p.Length() / time.Second)
	if first != from && c.kept(shorter(p), first) {
		c.by(shorter(p), from, min(to, first+length))
		first += length
	}
	tail := last != to && last >= first
	if tail && !c.kept(shorter(p), last) {
		last, tail = last+length, false
	}
	if first < last {
		c.add(Span{p, first, last})
	}
	if tail {
		c.by(shorter(p), max(from, last), to)
	}
}

// kept reports whether the roll-ups of a period are all there from a start on.
func (c *cover) kept(p storage.Period, start int64) bool {
	if p == storage.Minute {
		return start >= c.borders.Minutes
	}
	return start >= c.borders.Hours
}

// shorter gives the period below an hour or a day.
func shorter(p storage.Period) storage.Period {
	if p == storage.Day {
		return storage.Hour
	}
	return storage.Minute
}

func longer(p storage.Period) storage.Period {
	if p == storage.Minute {
		return storage.Hour
	}
	return storage.Day
}

// floor gives the start of the period that a second lies in.
func floor(second int64, p storage.Period) int64 {
	return second - second%int64(p.Length()/time.Second)
}

func ceil(second int64, p storage.Period) int64 {
	return floor(second+int64(p.Length()/time.Second)-1, p)
}
