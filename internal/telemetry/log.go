package telemetry

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aistrale/aistrale/storage"
)

const (
	// linger is how long a line may wait for others, so that a busy gateway makes one system
	// call for many lines.
	linger = 10 * time.Millisecond
	// logHeld bounds the lines that wait, in bytes; past it lines are dropped.
	logHeld = 1 << 20
	// logFull ends the linger early.
	logFull = 64 << 10
)

// requestLog holds lines back for its one writer, which takes them all at once. Two buffers of
// at most logHeld change places and are kept.
type requestLog struct {
	to      io.Writer
	level   slog.Leveler
	dropped prometheus.Counter

	mu     sync.Mutex
	held   []byte // whole lines
	spare  []byte // what the writer is done with
	closed bool
	err    error // the taker's last one

	wake chan struct{} // there are lines
	full chan struct{} // there are many, or the log closes
	done chan struct{} // the writer has ended
}

func newRequestLog(to io.Writer, level slog.Leveler, dropped prometheus.Counter) *requestLog {
	l := &requestLog{
		to: to, level: level, dropped: dropped,
		wake: make(chan struct{}, 1), full: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// observe appends the record's line to those that wait. A write per line costs about the same
// processor time (BenchmarkRequestLog), but would block requests on a taker that is stuck.
func (l *requestLog) observe(r *storage.Record) {
	level := levelOf(r)
	if level < l.level.Level() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.held) > logHeld {
		l.dropped.Inc()
		return
	}
	before := len(l.held)
	l.held = appendLine(l.held, level, r)
	switch {
	case before == 0:
		signal(l.wake)
	case before <= logFull && len(l.held) > logFull:
		signal(l.full)
	}
}

// run is the writer; it ends after close, when all lines are written.
func (l *requestLog) run() {
	defer close(l.done)
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for range l.wake {
		timer.Reset(linger)
		select {
		case <-timer.C:
		case <-l.full:
		}
		if !l.flush() {
			return
		}
	}
}

// flush writes what waits and reports whether more may come.
func (l *requestLog) flush() (open bool) {
	l.mu.Lock()
	lines := l.held
	l.held, l.spare = l.spare[:0], nil
	open = !l.closed
	l.mu.Unlock()
	if len(lines) == 0 {
		return open
	}

	_, err := l.to.Write(lines)

	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.err = err
	}
	l.spare = lines[:0]
	return open
}

// close lets the writer finish, for as long as ctx allows.
func (l *requestLog) close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	signal(l.full)
	signal(l.wake)
	select {
	case <-l.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// signal does not wait: a signal that is not taken yet says the same.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
