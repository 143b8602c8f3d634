package main

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// countingLedger notes how many processors there are while it is written to.
type countingLedger struct{ processors int }

func (l *countingLedger) Write(context.Context, []storage.Entry) error {
	l.processors = runtime.GOMAXPROCS(0)
	return errors.ErrUnsupported
}

// A write has a second processor where there is one only, and what it needs not is put back.
func TestSecondProcessor(t *testing.T) { //nolint:paralleltest // what it changes is the process's
	usual := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(usual) })
	runtime.SetDefaultGOMAXPROCS()
	system := runtime.GOMAXPROCS(0)
	for _, c := range []struct {
		before, during, after int
		chosen                bool
	}{
		{before: 1, during: 2, after: 1, chosen: true},
		{before: 1, during: 2, after: system},
		{before: 2, during: 2, after: 2, chosen: true},
		{before: 5, during: 5, after: 5},
	} {
		runtime.GOMAXPROCS(c.before)
		var seen countingLedger
		if err := (secondProcessor{&seen, c.chosen}).Write(t.Context(), nil); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("the ledger's own error is %v", err)
		}
		if after := runtime.GOMAXPROCS(0); seen.processors != c.during || after != c.after {
			t.Errorf("%+v: %d processors during a write, %d after it", c, seen.processors, after)
		}
	}
}
