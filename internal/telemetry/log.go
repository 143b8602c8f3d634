package telemetry

import (
	"context"
	"io"
	"log/slog"
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

// requestLog writes a line for each request.
type requestLog struct {
	lines   *outbox
	level   slog.Leveler
	dropped prometheus.Counter
}

func newRequestLog(to io.Writer, level slog.Leveler, dropped prometheus.Counter) *requestLog {
	write := func(lines []byte) error {
		_, err := to.Write(lines)
		return err
	}
	held := &outbox{write: write, linger: linger, most: logHeld, enough: logFull}
	return &requestLog{lines: held.start(), level: level, dropped: dropped}
}

// observe appends the record's line to those that wait. A write per line costs about the same
// processor time (BenchmarkRequestLog), but would block requests on a taker that is stuck.
func (l *requestLog) observe(r *storage.Record) {
	if levelOf(r) < l.level.Level() && !r.Debug {
		return
	}
	if !put(l.lines, printLine, r) {
		l.dropped.Inc()
	}
}

func printLine(dst []byte, r *storage.Record) []byte { return appendLine(dst, levelOf(r), r) }

// close lets the writer finish, for as long as ctx allows.
func (l *requestLog) close(ctx context.Context) error { return l.lines.close(ctx) }
