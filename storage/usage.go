package storage

import "time"

// Period is how long the span of one roll-up is.
type Period string

// The periods that roll-ups are kept for. "" in a query is the whole span as one.
const (
	Minute Period = "minute"
	Hour   Period = "hour"
	Day    Period = "day"
)

// Periods lists them from the shortest.
func Periods() []Period { return []Period{Minute, Hour, Day} }

// Length is the period's length; days are UTC's.
func (p Period) Length() time.Duration {
	switch p {
	case Minute:
		return time.Minute
	case Hour:
		return time.Hour
	case Day:
		return 24 * time.Hour
	}
	return 0
}

// UsageQuery asks for sums. From is rounded down and To up to whole minutes, or to the shortest
// period that is still kept so far back.
type UsageQuery struct {
	From, To time.Time
	By       []Dimension // one sum for each combination; empty: one sum for all
	Per      Period      // and for each period; "": for the whole span
	Where    []Filter    // all must hold
	// Only are the measures that are wanted, of which few are read faster; empty: all. The others
	// are 0.
	Only []Measure
	// Limit bounds the sums of an answer; 0 is all. Which are left out is not said.
	Limit int
}

// Filter holds where a dimension has one of the values. A value that ends in "*" stands for all
// that begin so. ByKey takes ids and names.
type Filter struct {
	Dimension Dimension
	Values    []string
}

// UsageSum is one row of the answer, in the order of Start, then of the dimensions.
type UsageSum struct {
	Start time.Time // of its period; zero where the query has none
	Series
	Totals
}

// EntryQuery asks for entries, each attempt in its latest revision, oldest first, or newest first.
type EntryQuery struct {
	From, To time.Time // of the request's time; To is exclusive
	Where    []Filter
	// RequestID narrows to one request, "" to none.
	RequestID string
	Newest    bool
	// Before leaves out this request and all that are newer, "" none.
	Before string
	Limit  int // 0: all
}
