//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// measure does all of a run.
func measure(r *rig, o options) (*figures, error) {
	f := newFigures(o)
	if o.only == "" { // first: a process that has worked has memory to spare, and an open stream seems to need none
		if err := f.measureMemory(r); err != nil {
			return nil, err
		}
	}
	some, _ := wanted(o.only)
	for _, w := range some {
		samples, err := rounds(r, w, o, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		f.add(w, samples)
	}
	if o.latency() {
		if err := f.measureLatency(r, o); err != nil {
			return nil, err
		}
	}
	if o.only == "" {
		if err := f.measureCancel(r); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// rounds runs one work on every target in turn, several times, and gives the microseconds of CPU
// time that each unit took.
func rounds(r *rig, w work, o options, f *figures) (map[string][]float64, error) {
	samples := map[string][]float64{}
	for round := range o.rounds + 1 {
		for _, t := range r.targets {
			if !w.fits(t) {
				continue
			}
			size := r.stores.size()
			spent, units, err := r.round(t, w, o.seconds)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			if round == 0 { // it warms up
				continue
			}
			samples[t.name] = append(samples[t.name], perUnit(spent[0], units))
			if t.name == shared && w.name == "335B" {
				f.Stores = &storeCosts{
					PostgresUS: perUnit(spent[1], units), RedisUS: perUnit(spent[2], units),
					RowBytes: (r.stores.size() - size) / float64(units),
				}
			}
		}
	}
	return samples, nil
}

func perUnit(spent time.Duration, units int) float64 {
	return float64(spent.Nanoseconds()) / 1000 / float64(units)
}

// round gives what the target and the shared stores spent on the units that were done.
func (r *rig) round(t *target, w work, d time.Duration) (spent [3]time.Duration, units int, err error) {
	whose := [3]*process{t.process, r.stores.servers[0], r.stores.servers[1]}
	var before [3]time.Duration
	for i, p := range whose {
		if p != nil {
			if before[i], err = p.cpu(); err != nil {
				return spent, 0, err
			}
		}
	}
	units, err = w.load(t, d)
	if err = errors.Join(err, t.shipped()); err != nil {
		return spent, 0, err
	}
	if units == 0 {
		return spent, 0, errors.New("nothing was done")
	}
	for i, p := range whose {
		if p != nil {
			now, err := p.cpu()
			if err != nil {
				return spent, 0, err
			}
			spent[i] = now - before[i]
		}
	}
	return spent, units, nil
}

// shipped waits until the ledger has all, so that what a round owes is counted as its cost. It asks
// seldom: to answer costs the gateway as much as some requests.
func (t *target) shipped() error {
	if !t.gateway() || t.name == heldBack {
		return nil
	}
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		time.Sleep(150 * time.Millisecond)
		resp, err := http.Get("http://" + t.admin + "/metrics")
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte("\naistrale_ledger_lag_records 0\n")) {
			return nil
		}
	}
	return errors.New("the ledger does not catch up")
}

func (f *figures) measureMemory(r *rig) error {
	f.StreamKB, f.IdleMB = map[string]float64{}, map[string]float64{}
	for _, t := range r.targets {
		if t.part() || t.certs != nil {
			continue
		}
		idle, err := t.memory()
		if err != nil {
			return err
		}
		bytes, err := streamMemory(t, 1000)
		if err != nil {
			return fmt.Errorf("memory of %s: %w", t.name, err)
		}
		f.StreamKB[t.name], f.IdleMB[t.name] = bytes/1024, float64(idle)/(1<<20)
	}
	return nil
}

// measureCancel takes how soon a client's leaving is noticed.
func (f *figures) measureCancel(r *rig) error {
	gateway, err := r.find(whole, false)
	if err != nil {
		return err
	}
	cancels, err := cancelLatency(gateway, r.silent, 500)
	if err != nil { // what was found so far took long to find
		fmt.Fprintln(os.Stderr, "bench: how soon a client's leaving is noticed was not measured:", err)
		return nil
	}
	l := latencyOf(cancels)
	f.Cancel = &l
	return nil
}
