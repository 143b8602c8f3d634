//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"
)

// streamMemory gives the bytes of the target's resident set that one more open stream takes: what
// as many again add while the first are open, so that room which a program keeps spare does not
// count for it.
func streamMemory(t *target, streams int) (float64, error) {
	const events, pace = 60, 200 * time.Millisecond
	opened := make(chan error, 2)
	open := func() {
		w := work{model: "gpt", size: 335, stream: true, mock: fmt.Sprintf("events=%d; chunk=%s", events, pace), workers: streams}
		_, err := w.load(t, time.Millisecond) // each worker makes one request
		opened <- err
	}
	go open()
	less, err := mostResident(t, events*pace/2)
	go open()
	more, err2 := mostResident(t, events*pace/2-time.Second) // before the first of them ends
	return float64(more-less) / float64(streams), errors.Join(err, err2, <-opened, <-opened)
}

// mostResident gives the most bytes that were resident within a time.
func mostResident(t *target, within time.Duration) (most int64, err error) {
	for began := time.Now(); time.Since(began) < within; time.Sleep(50 * time.Millisecond) {
		now, err := t.memory()
		if err != nil {
			return 0, err
		}
		most = max(most, now)
	}
	return most, nil
}
