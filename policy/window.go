package policy

import "time"

// rollingSlices is how finely a rolling window forgets.
const rollingSlices = 60

// rolling remembers what was spent in a window up to now, in slices. It forgets a slice only
// when all of it is older than the window, so it remembers up to one slice too much, never
// too little.
type rolling struct {
	length int64 // of a slice
	head   int64 // the newest slice, counted from the start of the meter's clock
	slices [rollingSlices]int64
}

func newRolling(window time.Duration, now int64) *rolling {
	r := &rolling{length: max(1, (int64(window)+rollingSlices-2)/(rollingSlices-1))}
	r.head = r.slice(now)
	return r
}

// slice is the slice of a time, which may be before the clock's start.
func (r *rolling) slice(at int64) int64 {
	s := at / r.length
	if at%r.length < 0 {
		s--
	}
	return s
}

func (r *rolling) at(slice int64) *int64 {
	i := slice % rollingSlices
	if i < 0 {
		i += rollingSlices
	}
	return &r.slices[i]
}

// forget moves on to now and gives what has fallen out.
func (r *rolling) forget(now int64) (fallen int64) {
	to := r.slice(now)
	if to-r.head > rollingSlices {
		r.head = to - rollingSlices
	}
	for r.head < to {
		r.head++
		s := r.at(r.head)
		fallen += *s
		*s = 0
	}
	return fallen
}

// add puts an amount into the slice of a time, or into the oldest one that is kept; it gives the
// slice.
func (r *rolling) add(at, amount int64) (slice int64) {
	slice = max(min(r.slice(at), r.head), r.head-rollingSlices+1)
	*r.at(slice) += amount
	return slice
}

// correct changes a slice that is still remembered.
func (r *rolling) correct(slice, amount int64) bool {
	if slice <= r.head-rollingSlices {
		return false
	}
	*r.at(slice) += amount
	return true
}

// wait is how long until so much has fallen out.
func (r *rolling) wait(now, amount int64) int64 {
	for s := r.head - rollingSlices + 1; s <= r.head; s++ {
		if amount -= *r.at(s); amount <= 0 {
			return max(1, (s+rollingSlices)*r.length-now)
		}
	}
	return 0
}
