//go:build linux

package main

import (
	"errors"
	"runtime"
	"sync"
	"time"
)

// noise is what the machine takes from a program that never waits: its host, and the kernel's own
// work. A latency that is shorter, and as rare, cannot be told from it.
type noise struct {
	// Share is the part of the time in pauses of more than a millisecond, on the core that has more.
	Share     float64 `json:"share"`
	LongestUS float64 `json:"longest_us"`
}

const (
	noiseRounds = 5 // as long as so many rounds of a work
	pauseOfNote = time.Millisecond
)

// listen has a thread on each of the cores look at the clock, and at nothing else, for as long as d.
func listen(d time.Duration, cores ...int) (noise, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(len(cores) + 1))
	heard, errs := make([]noise, len(cores)), make([]error, len(cores))
	var wg sync.WaitGroup
	for i, core := range cores {
		wg.Go(func() {
			runtime.LockOSThread() // the thread ends with the goroutine
			if errs[i] = pinThread(0, core); errs[i] == nil {
				heard[i] = pauses(d)
			}
		})
	}
	wg.Wait()
	var worst noise
	for _, n := range heard {
		worst.Share, worst.LongestUS = max(worst.Share, n.Share), max(worst.LongestUS, n.LongestUS)
	}
	return worst, errors.Join(errs...)
}

func pauses(d time.Duration) noise {
	var paused, longest time.Duration
	began := time.Now()
	for last := began; last.Sub(began) < d; {
		now := time.Now()
		if pause := now.Sub(last); pause > pauseOfNote {
			paused, longest = paused+pause, max(longest, pause)
		}
		last = now
	}
	return noise{Share: paused.Seconds() / time.Since(began).Seconds(), LongestUS: float64(longest.Microseconds())}
}
