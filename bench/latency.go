//go:build linux

package main

import (
	"errors"
	"sync"
	"time"
)

// latencyRate is how many requests a second are sent where a gateway has little to do.
const latencyRate = 500

// measureLatency takes the latencies of all that is no part, and the starts. The others end before:
// on one core requests wait also while a gateway that idles looks at its store.
func (f *figures) measureLatency(r *rig, o options) (err error) {
	gateway, err := r.find(whole, false)
	if err != nil {
		return err
	}
	floor, err := r.find("floor", false)
	if err != nil {
		return err
	}
	r.end(func(t *target) bool { return t.part() || t.certs != nil })
	heard, err := listen(noiseRounds*o.seconds, 0, 1)
	if err != nil {
		return err
	}
	f.Noise = &heard
	f.ColdMS = map[string]float64{}
	for _, t := range r.targets {
		f.ColdMS[t.name] = float64(t.began.Microseconds()) / 1000
	}
	if f.Latency, err = latencies(append([]*target{r.mocks[0]}, r.targets...), latencyRate, o); err != nil {
		return err
	}
	most, err := saturation(gateway, o.seconds)
	if err != nil {
		return err
	}
	h := &half{Most: most, Rate: int(most / 2)}
	l, err := latencies([]*target{r.mocks[0], floor, gateway}, h.Rate, o)
	if err != nil {
		return err
	}
	h.Direct = l[direct]
	h.Added, h.Floor = l[whole].above(h.Direct), l[floor.name].above(h.Direct)
	f.Half = h
	return nil
}

// direct is what the latencies of the mock are called, without anything between.
const direct = "direct"

// latencies are those of the targets at a rate, in turn, the medians of the rounds.
func latencies(targets []*target, rate int, o options) (map[string]latency, error) {
	p50, p99 := map[string][]float64{}, map[string][]float64{}
	for range o.rounds {
		for _, t := range targets {
			all, err := openLoop(t, rate, 2*o.seconds)
			if err != nil {
				return nil, err
			}
			name := t.name
			if t == targets[0] {
				name = direct
			}
			l := latencyOf(all)
			p50[name], p99[name] = append(p50[name], l.P50), append(p99[name], l.P99)
		}
	}
	out := map[string]latency{}
	for name := range p50 {
		out[name] = latency{median(p50[name]), median(p99[name])}
	}
	return out, nil
}

// openLoop sends requests at a fixed rate, whether or not earlier ones have been answered, and
// gives each one's latency in microseconds from the moment it was due. The first quarter warms up:
// connections are made.
func openLoop(t *target, rate int, d time.Duration) ([]float64, error) {
	w := works()[0]
	client := w.client(t)
	defer client.CloseIdleConnections()
	body := w.body(t)
	n := int(d.Seconds() * float64(rate))
	out, errs := make([]float64, n), make([]error, n)
	beats, err := newMetronome(rate)
	if err != nil {
		return nil, err
	}
	defer beats.stop()
	var wg sync.WaitGroup
	for i := range n {
		due, err := beats.wait()
		if err != nil {
			wg.Wait()
			return nil, err
		}
		wg.Go(func() {
			_, errs[i] = w.once(client, t, body)
			out[i] = float64(time.Since(due).Microseconds())
		})
	}
	wg.Wait()
	return out[n/4:], errors.Join(errs...)
}

// saturation is the most requests a second that the target answers to many callers at once.
func saturation(t *target, d time.Duration) (float64, error) {
	w := works()[0]
	w.workers = 256
	began := time.Now()
	n, err := w.load(t, d)
	return float64(n) / time.Since(began).Seconds(), err
}
