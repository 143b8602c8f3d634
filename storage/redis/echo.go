package redis

import (
	"slices"
	"time"

	"github.com/aistrale/aistrale/policy"
)

const (
	// echoFor is how long the ledger may take to have what was settled.
	echoFor = 20 * time.Second
	// echoMost are remembered for it, in one place, and up to a batch more.
	echoMost = 50000
)

// echoes remember what Redis was told lately. A Redis that comes back empty is told what the
// ledger has, and that may not have what was settled in the last seconds: nobody but us knows.
type echoes struct {
	by map[string]*echo // nil: there is no ledger to read
}

type echo struct {
	born    int64    // since when the place's counters are complete
	batches []echoed // from the oldest
	items   int      // in all of them
}

// echoed is what a place took in at once.
type echoed struct {
	born  int64 // since when the counters that took it in are complete
	items []item
}

// note remembers what a place took in. The lanes' lock is held.
func (e *echoes) note(place string, items []item) {
	if e.by == nil {
		return
	}
	one := e.of(place)
	kept := make([]item, 0, len(items))
	for i := range items {
		if it := &items[i]; len(it.part.ask.Budgets) > 0 && (it.what == "settle" || it.what == "charge") {
			kept = append(kept, *it)
		}
	}
	if len(kept) == 0 {
		return
	}
	one.batches = append(one.batches, echoed{one.born, kept})
	one.items += len(kept)
	for one.items-len(one.batches[0].items) >= echoMost {
		one.forget(1)
	}
}

// forget lets the oldest batches go.
func (o *echo) forget(n int) {
	for i := range n {
		o.items -= len(o.batches[i].items)
	}
	o.batches = slices.Delete(o.batches, 0, n)
}

func (e *echoes) of(place string) *echo {
	one := e.by[place]
	if one == nil {
		one = &echo{}
		e.by[place] = one
	}
	return one
}

// tellAgain tells a place once more what it was told lately, where it was emptied since. What it
// has from the ledger it does not count twice.
func (c *Counters) tellAgain(place string, born int64) {
	again := c.lanes.since(place, born)
	for _, it := range again {
		it.what = "again"
		c.push(it)
	}
}

// since notes since when a place's counters are complete, and gives what it was told before,
// where that has changed. What still waits to be told again is among it, and waits no more.
func (l *lanes) since(place string, born int64) []item {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told.by == nil {
		return nil
	}
	one := l.told.of(place)
	before := one.born
	one.born = born
	if before == 0 || before == born {
		return nil
	}
	l.relieve(place)
	var again []item
	for _, b := range one.batches {
		if b.born != born {
			again = append(again, b.items...)
		}
	}
	return again
}

// relieve takes off a lane what was to be told again and is not under way. A Redis that comes
// back empty time after time would else be told the same ever more often.
func (l *lanes) relieve(place string) {
	ln := l.by[place]
	if ln == nil {
		return
	}
	before := len(ln.items)
	under := ln.items[:ln.from+ln.sent]
	rest := slices.DeleteFunc(ln.items[len(under):], func(it item) bool { return it.what == "again" })
	ln.items = ln.items[:len(under)+len(rest)]
	gone := before - len(ln.items)
	l.waiting -= gone
	l.gone += uint64(gone)
}

// look has places say since when they are complete, where nobody tells them anything.
func (c *Counters) look() {
	for _, place := range c.lanes.remembered(c.serverNow()) {
		c.push(item{what: "again", part: part{place: place, ask: &policy.Ask{}}})
	}
}

// remembered gives the places that were told something lately, and forgets what is older.
func (l *lanes) remembered(now time.Time) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var places []string
	for place, one := range l.told.by {
		old := slices.IndexFunc(one.batches, func(b echoed) bool { return now.Sub(b.items[len(b.items)-1].at) < echoFor })
		if old < 0 {
			old = len(one.batches)
		}
		one.forget(old)
		if len(one.batches) == 0 {
			delete(l.told.by, place)
			continue
		}
		places = append(places, place)
	}
	slices.Sort(places)
	return places
}
