//go:build linux

package main

import "time"

// streamMemory gives the bytes that one open stream adds to the target's resident set.
func streamMemory(t *target, streams int) (float64, error) {
	before, err := t.memory()
	if err != nil {
		return 0, err
	}
	w := work{model: "gpt", size: 335, stream: true, mock: "events=40; chunk=100ms", workers: streams}
	result := make(chan error, 1)
	go func() {
		_, err := w.load(t, time.Millisecond) // each worker makes one request
		result <- err
	}()
	most := before
	for {
		select {
		case err := <-result:
			return float64(most-before) / float64(streams), err
		case <-time.After(50 * time.Millisecond):
			now, err := t.memory()
			if err != nil {
				return 0, err
			}
			most = max(most, now)
		}
	}
}
