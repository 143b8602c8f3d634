package ledger

import (
	"cmp"
	"slices"

	"github.com/aistrale/aistrale/storage"
)

// Batch gathers the entries that a transaction really inserts, and gives the roll-ups that they
// make: so roll-ups are the sums of rows by construction. The zero Batch is empty.
type Batch struct {
	series []storage.Series
	index  map[storage.Series]int
	sums   map[spot]*storage.Totals
	last   *storage.Entry // the highest revision of the attempt that was added last
	tags   []string
}

// spot is one minute of one series.
type spot struct {
	minute int64 // its start
	series int   // in Batch.series
}

// Row is what is to be added to one roll-up: a period's start in seconds since 1970, a series by
// the number that the store gave it.
type Row struct {
	Period storage.Period
	Start  int64
	Series int64
	storage.Totals
}

// Add notes an entry that the transaction inserts. known is the highest revision of its attempt
// that the ledger had before the transaction, nil where it had none. The entries come in the
// order of Order. It gives the index in Series of the series that the entry itself is of.
func (b *Batch) Add(e, known *storage.Entry) int {
	if b.last != nil && SameAttempt(b.last, e) && (known == nil || b.last.Revision > known.Revision) {
		known = b.last
	}
	s := e.Series
	s.Tag = ""
	own := b.of(s)
	if known != nil && known.Revision >= e.Revision {
		return own // it was superseded before it came
	}
	if known != nil {
		var away storage.Totals
		before := storage.TotalsOf(known)
		away.Sub(&before)
		b.count(known, &away)
	}
	totals := storage.TotalsOf(e)
	b.count(e, &totals)
	b.last = e
	return own
}

// count adds totals to the entry's series, and to that of each of its tags.
func (b *Batch) count(e *storage.Entry, totals *storage.Totals) {
	minute := floor(e.Began().Unix(), storage.Minute)
	s := e.Series
	s.Tag = ""
	b.add(spot{minute, b.of(s)}, totals)
	b.tags = b.tags[:0]
	for _, tag := range e.Tags {
		if tag = plain(tag); tag != "" && !slices.Contains(b.tags, tag) {
			b.tags = append(b.tags, tag)
			s.Tag = tag
			b.add(spot{minute, b.of(s)}, totals)
		}
	}
}

func (b *Batch) add(at spot, totals *storage.Totals) {
	sum := b.sums[at]
	if sum == nil {
		if b.sums == nil {
			b.sums = make(map[spot]*storage.Totals)
		}
		sum = new(storage.Totals)
		b.sums[at] = sum
	}
	sum.Add(totals)
}

// of gives the index of a series, in its plain form.
func (b *Batch) of(s storage.Series) int {
	if i, ok := b.index[s]; ok {
		return i
	}
	p := s
	for _, d := range storage.Dimensions() {
		*d.Of(&p) = plain(*d.Of(&p))
	}
	p.KeyName = plain(p.KeyName)
	i, ok := b.index[p]
	if !ok {
		i = len(b.series)
		b.series = append(b.series, p)
	}
	if b.index == nil {
		b.index = make(map[storage.Series]int)
	}
	b.index[p], b.index[s] = i, i
	return i
}

// Series gives the series that the batch counts for, each once, in the order in which they
// first came.
func (b *Batch) Series() []storage.Series { return b.series }

// Rows gives the roll-ups by minute, hour and day, in the order of period, series and start, so
// that concurrent transactions lock them in one order. ids are the numbers that the store has
// for Series; two may be the same. Roll-ups that nothing changes are left out.
func (b *Batch) Rows(ids []int64) []Row {
	sums := make(map[place]*storage.Totals, len(b.sums))
	for at, sum := range b.sums {
		merge(sums, place{ids[at.series], at.minute}, sum)
	}
	rows := make([]Row, 0, 3*len(sums))
	for _, p := range storage.Periods() {
		if p != storage.Minute {
			sums = coarser(sums, p)
		}
		rows = appendRows(rows, p, sums)
	}
	return rows
}

// place is where totals belong within the roll-ups of one period.
type place struct{ series, start int64 }

func merge(sums map[place]*storage.Totals, at place, more *storage.Totals) {
	sum := sums[at]
	if sum == nil {
		sum = new(storage.Totals)
		sums[at] = sum
	}
	sum.Add(more)
}

// coarser sums up to a longer period.
func coarser(sums map[place]*storage.Totals, p storage.Period) map[place]*storage.Totals {
	longer := make(map[place]*storage.Totals, len(sums))
	for at, sum := range sums {
		merge(longer, place{at.series, floor(at.start, p)}, sum)
	}
	return longer
}

func appendRows(rows []Row, p storage.Period, sums map[place]*storage.Totals) []Row {
	from := len(rows)
	for at, sum := range sums {
		if *sum != (storage.Totals{}) {
			rows = append(rows, Row{Period: p, Series: at.series, Start: at.start, Totals: *sum})
		}
	}
	slices.SortFunc(rows[from:], func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Series, b.Series), cmp.Compare(a.Start, b.Start))
	})
	return rows
}
