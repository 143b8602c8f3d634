//go:build linux

package main

import (
	"errors"
	"sync"
	"time"
)

// openLoop sends requests at a fixed rate, whether or not earlier ones have been answered, and
// gives each one's latency in microseconds from the moment it was due.
func openLoop(t *target, rate int, d time.Duration) ([]float64, error) {
	w := works()[0]
	client := w.client(t)
	defer client.CloseIdleConnections()
	body := w.body(t)
	n := int(d.Seconds() * float64(rate))
	out, errs := make([]float64, n), make([]error, n)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range n {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		wg.Go(func() {
			_, errs[i] = w.once(client, t, body)
			out[i] = float64(time.Since(due).Microseconds())
		})
	}
	wg.Wait()
	return out, errors.Join(errs...)
}

// saturation is the most requests a second that the target answers to many callers at once.
func saturation(t *target, d time.Duration) (float64, error) {
	w := works()[0]
	w.workers = 256
	began := time.Now()
	n, err := w.load(t, d)
	return float64(n) / time.Since(began).Seconds(), err
}
