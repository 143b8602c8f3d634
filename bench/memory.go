//go:build linux

package main

import (
	"fmt"
	"time"
)

// streamMemory gives the bytes that one open stream adds to the target's resident set, at most, before
// the first of them ends.
func streamMemory(t *target, streams int) (float64, error) {
	before, err := t.memory()
	if err != nil {
		return 0, err
	}
	const events, pace = 40, 100 * time.Millisecond
	w := work{model: "gpt", size: 335, stream: true, mock: fmt.Sprintf("events=%d; chunk=%s", events, pace), workers: streams}
	result := make(chan error, 1)
	go func() {
		_, err := w.load(t, time.Millisecond) // each worker makes one request
		result <- err
	}()
	most, began := before, time.Now()
	for {
		select {
		case err := <-result:
			return float64(most-before) / float64(streams), err
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
