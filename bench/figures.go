//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// figures are what a run found: medians, and what they are the medians of.
type figures struct {
	Commit  string    `json:"commit"`
	Date    time.Time `json:"date"`
	Machine string    `json:"machine"`
	Rounds  int       `json:"rounds"`
	Awake   bool      `json:"awake,omitempty"` // the cores were kept so
	Works   []row     `json:"works"`
	// Latency, by target, is at 500 requests/s; "direct" is the mock without anything between.
	Latency map[string]latency `json:"latency_us_at_500_per_s,omitempty"`
	// Noise is what the machine took from two cores that were both busy, before latencies were taken.
	Noise *noise `json:"noise,omitempty"`
	// Half is the latency at half of what the gateway can do at most.
	Half *half `json:"half_of_saturation,omitempty"`
	// StreamKB is resident memory per open stream, and IdleMB that of a process that has done
	// nothing, by target.
	StreamKB map[string]float64 `json:"kb_per_open_stream,omitempty"`
	IdleMB   map[string]float64 `json:"idle_mb,omitempty"`
	// Cancel is from a client's close to the upstream's notice of it.
	Cancel *latency           `json:"cancel_us,omitempty"`
	ColdMS map[string]float64 `json:"cold_start_ms,omitempty"`
	Stores *storeCosts        `json:"stores,omitempty"`

	only string // of the works, comma-separated, those that are shown
}

// row is the CPU time of one work, in microseconds per unit, by target.
type row struct {
	Work    string               `json:"work"`
	Unit    string               `json:"unit"`
	CPU     map[string]float64   `json:"cpu_us"`
	Samples map[string][]float64 `json:"samples"`
}

// latency is in microseconds.
type latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// above is what l adds to another latency.
func (l latency) above(other latency) latency { return latency{l.P50 - other.P50, l.P99 - other.P99} }

// half is what the gateway, and the floor at the same rate, add to the mock's own latency at half of
// the gateway's most.
type half struct {
	Most   float64 `json:"most_per_s"`
	Rate   int     `json:"rate_per_s"`
	Added  latency `json:"added_us"`
	Floor  latency `json:"floor_added_us"`
	Direct latency `json:"direct_us"`
}

// storeCosts are what shared stores spend, in microseconds of CPU time per request.
type storeCosts struct {
	RedisUS    float64 `json:"redis_us_per_request,omitempty"`
	PostgresUS float64 `json:"postgres_us_per_request,omitempty"`
	RowBytes   float64 `json:"postgres_bytes_per_request,omitempty"` // on disk, with indexes
}

func newFigures(o options) *figures {
	f := &figures{Commit: "unknown", Date: time.Now().UTC().Truncate(time.Second), Rounds: o.rounds, Awake: o.awake}
	if out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12").Output(); err == nil {
		f.Commit = strings.TrimSpace(string(out))
	}
	f.Machine = fmt.Sprintf("%s, %d cores, Linux %s, %s", processor(), runtime.NumCPU(), kernel(), runtime.Version())
	return f
}

func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	version, _, _ := strings.Cut(strings.TrimSpace(string(b)), "-")
	return version
}

func readFigures(path string) (*figures, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &figures{}
	if err := json.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// shown are the works to be told of: those of only, or all.
func (f *figures) shown() []row {
	if f.only == "" {
		return f.Works
	}
	names := strings.Split(f.only, ",")
	return slices.DeleteFunc(slices.Clone(f.Works), func(r row) bool { return !slices.Contains(names, r.Work) })
}

// write leaves the figures on one line: the samples are many.
func (f *figures) write(path string) error {
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600)
}

// add takes the medians of a work's samples.
func (f *figures) add(w work, samples map[string][]float64) {
	r := row{Work: w.name, Unit: w.unit, CPU: map[string]float64{}, Samples: samples}
	for name, s := range samples {
		for i := range s {
			s[i] = math.Round(s[i]*1000) / 1000
		}
		r.CPU[name] = median(s)
	}
	f.Works = append(f.Works, r)
}

func (f *figures) row(work string) (row, bool) {
	for _, r := range f.Works {
		if r.Work == work {
			return r, true
		}
	}
	return row{}, false
}

// ratio is what a target spends on a work in units of what the floor does, 0 where one of them was
// not measured. It is the median of the rounds' own ratios: a machine that slows down for a while
// slows both.
func (f *figures) ratio(work, target string) float64 {
	r, ok := f.row(work)
	if !ok {
		return 0
	}
	var ratios []float64
	for i, us := range r.Samples[target] {
		if below := r.Samples["floor"]; i < len(below) && below[i] > 0 {
			ratios = append(ratios, us/below[i])
		}
	}
	return median(ratios)
}

func median(s []float64) float64 { return percentile(s, 50) }

func percentile(s []float64, p int) float64 {
	if len(s) == 0 {
		return 0
	}
	s = slices.Sorted(slices.Values(s))
	return s[min(len(s)-1, len(s)*p/100)]
}

func latencyOf(us []float64) latency { return latency{percentile(us, 50), percentile(us, 99)} }
