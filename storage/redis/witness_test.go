package redis

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/aistrale/aistrale/policy"
)

// witness sees what calls wait for: that each trip for one is cut by the timeout, and that there
// is none for a call that came while the breaker was open. How long that takes is the machine's.
type witness struct {
	*Counters
	closings atomic.Int64 // of the breaker
	trips    atomic.Int64
	spared   atomic.Int64 // calls that came while it was open

	mu     sync.Mutex
	wrong  []string
	warned []string
}

func (w *witness) watch(c *Counters) {
	w.Counters = c
	c.client.AddHook(w)
}

// Take implements policy.Counters.
func (w *witness) Take(ctx context.Context, a *policy.Ask) (policy.Verdict, error) {
	before := w.closings.Load()
	open := !w.Up()
	v, err := w.Counters.Take(ctx, a)
	if open && w.closings.Load() == before {
		w.spared.Add(1)
		if !errors.Is(err, errNotSent) {
			w.fault("a call that came while the breaker was open waited")
		}
	}
	return v, err
}

func (w *witness) fault(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, text)
}

func (w *witness) verify(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range slices.Compact(slices.Sorted(slices.Values(w.wrong))) {
		t.Error(text)
	}
	if w.trips.Load() == 0 || w.spared.Load() == 0 {
		t.Errorf("%d trips and %d calls without one: nothing is proved", w.trips.Load(), w.spared.Load())
	}
	t.Logf("%d trips, each within the timeout; %d calls that came while the breaker was open, none of which waited; the log: %v",
		w.trips.Load(), w.spared.Load(), w.warned)
}

// look sees a command, before it is sent.
func (w *witness) look(ctx context.Context, cmd goredis.Cmder) {
	if !slices.ContainsFunc(cmd.Args(), func(arg any) bool { return arg == &scriptTake.hash || arg == &scriptTake.text }) {
		return
	}
	w.trips.Add(1)
	if end, bounded := ctx.Deadline(); !bounded || time.Until(end) > w.options.Timeout {
		w.fault("a trip may take longer than the timeout")
	}
}

// DialHook implements goredis.Hook.
func (w *witness) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements goredis.Hook.
func (w *witness) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		w.look(ctx, cmd)
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements goredis.Hook.
func (w *witness) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		for _, cmd := range cmds {
			w.look(ctx, cmd)
		}
		return next(ctx, cmds)
	}
}

// Enabled implements slog.Handler.
func (w *witness) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler: the breaker tells of itself in the log, under its lock.
func (w *witness) Handle(_ context.Context, r slog.Record) error {
	switch {
	case strings.HasSuffix(r.Message, "answer again"):
		w.closings.Add(1)
	case strings.HasSuffix(r.Message, "do not answer"):
	default:
		text := r.Message
		r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.warned) < 20 {
			w.warned = append(w.warned, text)
		}
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (w *witness) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements slog.Handler.
func (w *witness) WithGroup(string) slog.Handler { return w }
