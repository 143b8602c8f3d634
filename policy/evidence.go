package policy

import "time"

// evidence is who saw a place fail of late: the latest few keys, and how often each.
type evidence struct {
	seen [8]witness
}

type witness struct {
	who   string
	times int
	last  time.Time
}

// add notes a failure. The key that has been silent the longest makes room.
func (e *evidence) add(who string, now time.Time, window time.Duration) {
	at := 0
	for i := range e.seen {
		w := &e.seen[i]
		if w.times > 0 && w.who == who {
			at = i
			break
		}
		if w.last.Before(e.seen[at].last) {
			at = i
		}
	}
	w := &e.seen[at]
	if w.who != who || now.Sub(w.last) > window {
		*w = witness{who: who}
	}
	w.times, w.last = w.times+1, now
}

// shared reports whether at least two failures since a time are of others than the one who saw
// the most: bad requests of one key, and a stray failure of another's, are not enough.
func (e *evidence) shared(since time.Time) bool {
	total, top := 0, 0
	for i := range e.seen {
		if w := &e.seen[i]; w.times > 0 && !w.last.Before(since) {
			total += w.times
			top = max(top, w.times)
		}
	}
	return total-top >= 2
}
