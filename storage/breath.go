package storage

import "time"

// Breath keeps long work from holding up requests. Where there is one core, the runtime lets who
// computes go on for 10 ms, and looks for requests that have come only when nobody is ready: to
// sleep, for longer than it takes to look, is what makes it look. It works for a fifth of the time:
// with more than requests leave idle they would queue for as long as it has to do.
type Breath struct{ since time.Time }

const (
	breathEvery = 250 * time.Microsecond
	breathFor   = time.Millisecond
)

// FullBatch is how many rows are written to a ledger at once where there are as many.
const FullBatch = 8000

// Take sleeps where the work has gone on for long. rows is how much of it there is: what has
// fallen behind so far that it comes in full batches does not stand back.
func (b *Breath) Take(rows int) {
	if rows >= FullBatch {
		return
	}
	now := time.Now()
	if b.since.IsZero() {
		b.since = now
	}
	if now.Sub(b.since) < breathEvery {
		return
	}
	time.Sleep(breathFor)
	b.since = time.Now()
}
