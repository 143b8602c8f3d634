package telemetry

import (
	"context"
	"sync"
	"time"
)

// outbox holds bytes back for its one writer, which takes them all at once. Two buffers of about
// most bytes change places and are kept.
type outbox struct {
	write  func(batch []byte) error // called by one goroutine
	linger time.Duration            // how long bytes wait for others
	most   int                      // bytes that wait; past it nothing is taken
	enough int                      // bytes that end the linger early

	mu     sync.Mutex
	held   []byte
	spare  []byte // what the writer is done with
	closed bool
	err    error // the writer's last one

	wake chan struct{} // something waits
	full chan struct{} // much does, or the outbox closes
	done chan struct{} // the writer has ended
}

// start begins to write; close ends that.
func (o *outbox) start() *outbox {
	o.wake, o.full, o.done = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	go o.run()
	return o
}

// put has say append to what waits. Where there is no room, or the outbox is closed, it gives
// false and nothing is said.
func put[T any](o *outbox, say func(dst []byte, what T) []byte, what T) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.held) > o.most {
		return false
	}
	before := len(o.held)
	o.held = say(o.held, what)
	switch {
	case before == 0:
		signal(o.wake)
	case before <= o.enough && len(o.held) > o.enough:
		signal(o.full)
	}
	return true
}

// run is the writer; it ends after close, when all is written.
func (o *outbox) run() {
	defer close(o.done)
	timer := time.NewTimer(o.linger)
	defer timer.Stop()
	for range o.wake {
		timer.Reset(o.linger)
		select {
		case <-timer.C:
		case <-o.full:
		}
		if !o.flush() {
			return
		}
	}
}

// flush writes what waits and reports whether more may come.
func (o *outbox) flush() (open bool) {
	o.mu.Lock()
	batch := o.held
	o.held, o.spare = o.spare[:0], nil
	open = !o.closed
	o.mu.Unlock()
	if len(batch) == 0 {
		return open
	}

	err := o.write(batch)

	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.err = err
	}
	o.spare = batch[:0]
	return open
}

// close lets the writer finish, for as long as ctx allows.
func (o *outbox) close(ctx context.Context) error {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	signal(o.full)
	signal(o.wake)
	select {
	case <-o.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// signal does not wait: a signal that is not taken yet says the same.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
