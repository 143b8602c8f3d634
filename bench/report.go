//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// report is what a run found.
type report struct {
	Rows   []row                         `json:"rows"`
	Ratios map[string]map[string]float64 `json:"ratios"` // to the floor, by work and target
	// Latency holds p50 and p99 in microseconds at 500 requests/s, by target; "direct" is the
	// mock without anything between.
	Latency map[string][2]float64 `json:"latency_us_at_500_per_s,omitempty"`
	// StreamKB is resident memory per open stream, by target.
	StreamKB map[string]float64 `json:"kb_per_open_stream,omitempty"`
	// CancelUS is p50 and p99 from a client's close to the upstream's notice of it.
	CancelUS [2]float64 `json:"cancel_us"`
	ColdMS   float64    `json:"cold_start_ms,omitempty"`
}

// row is the CPU time of one work, in microseconds per unit, by target.
type row struct {
	Work string             `json:"work"`
	Unit string             `json:"unit"`
	CPU  map[string]float64 `json:"cpu_us"`
}

func (r *report) add(one row) {
	r.Rows = append(r.Rows, one)
	base := r.floor(one)
	ratios := map[string]float64{}
	for name, cpu := range one.CPU {
		if base > 0 && name != "floor" {
			ratios[name] = cpu / base
		}
	}
	r.Ratios[one.Work] = ratios
}

// floor is what the floor spends on a work; a translation is held against the same request, or
// the same paced event, carried as it is.
func (r *report) floor(one row) float64 {
	if base, ok := one.CPU["floor"]; ok {
		return base
	}
	like := "335B"
	if one.Unit == "event" {
		like = "paced"
	}
	for _, other := range r.Rows {
		if other.Work == like {
			return other.CPU["floor"]
		}
	}
	return 0
}

// measureRest takes the latencies.
func (r *report) measureRest(rig *rig, o options) error {
	r.Latency = map[string][2]float64{}
	direct := &target{process: rig.mock, addr: "", prefix: "/openai/v1"}
	direct.process, direct.addr = rig.mock, rig.mock.cmd.Args[len(rig.mock.cmd.Args)-1]
	for _, t := range append([]*target{direct}, rig.targets...) {
		if t.part {
			continue
		}
		name := t.name
		if t == direct {
			name = "direct"
		}
		us, err := openLoop(t, 500, 2*o.seconds)
		if err != nil {
			return fmt.Errorf("latency of %s: %w", name, err)
		}
		r.Latency[name] = [2]float64{percentile(us, 50), percentile(us, 99)}
	}
	for _, t := range rig.targets {
		if !t.gateway || t.part {
			continue
		}
		r.ColdMS = float64(t.began.Microseconds()) / 1000
		us, err := cancelLatency(t, rig.silent, 500)
		if err != nil {
			return fmt.Errorf("cancel: %w", err)
		}
		r.CancelUS = [2]float64{percentile(us, 50), percentile(us, 99)}
	}
	return nil
}

// measureMemory comes first: a process that has worked has memory to spare, and then an open
// stream seems to need none.
func (r *report) measureMemory(rig *rig) error {
	r.StreamKB = map[string]float64{}
	for _, t := range rig.targets {
		if t.part {
			continue
		}
		bytes, err := streamMemory(t, 1000)
		if err != nil {
			return fmt.Errorf("memory of %s: %w", t.name, err)
		}
		r.StreamKB[t.name] = bytes / 1024
	}
	return nil
}

func (r *report) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "work\tper\tnginx µs\tfloor µs\taistrale µs\tratio to floor")
	for _, row := range r.Rows {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%.2f\n", row.Work, row.Unit,
			figure(row.CPU["nginx"]), figure(row.CPU["floor"]), figure(row.CPU["aistrale"]), r.Ratios[row.Work]["aistrale"])
	}
	_ = t.Flush()
	r.printParts(w)
	if r.Latency == nil {
		return
	}
	for _, name := range []string{"direct", "nginx", "floor", "aistrale"} {
		if l, ok := r.Latency[name]; ok {
			_, _ = fmt.Fprintf(w, "latency at 500/s, %s: p50 %.0f µs, p99 %.0f µs\n", name, l[0], l[1])
		}
	}
	for _, name := range []string{"nginx", "floor", "aistrale"} {
		if kb, ok := r.StreamKB[name]; ok {
			_, _ = fmt.Fprintf(w, "memory per open stream, %s: %.0f KB\n", name, kb)
		}
	}
	_, _ = fmt.Fprintf(w, "a client leaves, the upstream notices: p50 %.0f µs, p99 %.0f µs\n", r.CancelUS[0], r.CancelUS[1])
	_, _ = fmt.Fprintf(w, "cold start to the first answer: %.0f ms\n", r.ColdMS)
}

func figure(us float64) string {
	if us == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", us)
}

// check fails a run whose ratios are above the limits.
func (r *report) check(l limits) error {
	for work, limit := range map[string]float64{"335B": l.small, "burst": l.burst} {
		if got := r.Ratios[work]["aistrale"]; limit > 0 && got > limit {
			return fmt.Errorf("%s costs %.2f × the floor; the limit is %.2f", work, got, limit)
		}
	}
	return nil
}

func median(s []float64) float64 { return percentile(s, 50) }

func percentile(s []float64, p int) float64 {
	if len(s) == 0 {
		return 0
	}
	s = slices.Sorted(slices.Values(s))
	return s[min(len(s)-1, len(s)*p/100)]
}

// printParts tells what the gateway's parts cost: each is the difference that it makes alone.
func (r *report) printParts(w io.Writer) {
	for _, row := range r.Rows {
		if row.CPU[bare]+row.CPU[heldBack] == 0 {
			continue
		}
		_, _ = fmt.Fprintf(w, "parts of %s:\n", row.Work)
		for _, part := range []struct{ what, with, without string }{
			{"limits and a budget in memory", noJournal, bare},
			{"the journal", heldBack, noJournal},
			{"shipping to SQLite", whole, heldBack},
			{"shipping to PostgreSQL", onPostgres, heldBack},
			{"limits and a budget in Redis", onRedis, bare},
			{"Redis in place of memory", onRedis, noJournal},
			{"Redis in place of memory, with the ledger", wholeRedis, whole},
		} {
			if with, without := row.CPU[part.with], row.CPU[part.without]; with > 0 && without > 0 {
				_, _ = fmt.Fprintf(w, "  %s: %.1f µs, %.2f × what it is without\n", part.what, with-without, with/without)
			}
		}
	}
}
