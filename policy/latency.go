package policy

import (
	"math"
	"sync"
	"time"
)

// Latency is a peak-sensitive mean of what answers take: a slow one counts at once and in full,
// and fades; what is not heard of for a while fades too, so that it is tried again.
type Latency struct {
	mu    sync.Mutex
	value float64 // seconds
	at    int64   // Unix nanoseconds, of value
}

// fading is the time in which a value counts a third of what it did.
const fading = 10 * time.Second

// slowest stands for an attempt that failed: failing fast is no virtue.
const slowest = 5 * time.Second

// Observe notes how long an answer took.
func (l *Latency) Observe(took time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sample := took.Seconds()
	if sample >= l.value {
		l.value = sample
	} else {
		keep := fade(now.UnixNano() - l.at)
		l.value = l.value*keep + sample*(1-keep)
	}
	l.at = now.UnixNano()
}

// Seconds is the mean at a time, 0 where nothing was seen yet or lately.
func (l *Latency) Seconds(now time.Time) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.value * fade(now.UnixNano()-l.at)
}

func fade(nanoseconds int64) float64 {
	return math.Exp(-float64(max(0, nanoseconds)) / float64(fading))
}
