//go:build linux

package main

import (
	"fmt"
	"time"
)

// streamMemory gives the bytes of the target's resident set that one more open stream takes: what
// many have beyond few, so that room which a program keeps spare does not count for it.
func streamMemory(t *target, few, many int) (float64, error) {
	less, err := residentWith(t, few)
	if err != nil {
		return 0, err
	}
	more, err := residentWith(t, many)
	return float64(more-less) / float64(many-few), err
}

// residentWith gives the target's resident bytes with so many streams open, at most, before the
// first of them ends.
func residentWith(t *target, streams int) (most int64, err error) {
	const events, pace = 40, 200 * time.Millisecond
	w := work{model: "gpt", size: 335, stream: true, mock: fmt.Sprintf("events=%d; chunk=%s", events, pace), workers: streams}
	result := make(chan error, 1)
	go func() {
		_, err := w.load(t, time.Millisecond) // each worker makes one request
		result <- err
	}()
	for began := time.Now(); ; {
		select {
		case err := <-result:
			return most, err
		case <-time.After(50 * time.Millisecond):
			now, err := t.memory()
			if err != nil {
				return 0, err
			}
			if time.Since(began) < events*pace {
				most = max(most, now)
			}
		}
	}
}
