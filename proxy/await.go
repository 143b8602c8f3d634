package proxy

import (
	"context"
	"time"
)

// await waits until wake says that there is something to look at, or for at most d. It gives why
// the flight was cancelled meanwhile, nil where it was not: nobody waits for a client that left.
func (f *flight) await(d time.Duration, wake <-chan struct{}) error {
	if err := f.left(); err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-f.alarm():
		return f.left()
	case <-wake:
	case <-timer.C:
	}
	return nil
}

// alarm gives a channel that is closed when the flight is cancelled.
func (f *flight) alarm() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bell == nil {
		f.bell = make(chan struct{})
		if f.gone != nil {
			close(f.bell)
		}
	}
	return f.bell
}

// lifetime is the flight as a context, which costs nothing until somebody waits for its end.
type lifetime struct{ f *flight }

// Deadline implements context.Context.
func (lifetime) Deadline() (deadline time.Time, ok bool) { return }

// Done implements context.Context.
func (l lifetime) Done() <-chan struct{} { return l.f.alarm() }

// Err implements context.Context. Why the flight was cancelled, left says.
func (l lifetime) Err() error {
	if l.f.left() != nil {
		return context.Canceled
	}
	return nil
}

// Value implements context.Context.
func (lifetime) Value(any) any { return nil }
