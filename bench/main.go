//go:build linux

// Command bench measures the gateway against the floor (a bare Go proxy) and nginx, in
// interleaved rounds on pinned cores: what it carries runs on core 0, the mock provider and
// the load on core 1. CPU per request, and ratios taken in one run, are what to trust; times
// differ between machines.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

type options struct {
	bin     string
	rounds  int
	seconds time.Duration
	only    string
	out     string
	servers servers
	max     limits
}

// limits are the ratios to the floor above which the run fails; 0 is no limit.
type limits struct{ small, burst float64 }

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "folder with the programs aistrale and floor")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each work; the median counts")
	flag.DurationVar(&o.seconds, "seconds", 2*time.Second, "length of one round of one work")
	flag.StringVar(&o.only, "only", "", "works to run, comma-separated (default: all)")
	flag.StringVar(&o.servers.gateways, "gateways", "", "gateways to run, comma-separated (default: all): aistrale,held back,no journal,bare,postgres,redis,whole redis")
	flag.StringVar(&o.out, "json", "", "file for the figures as JSON")
	flag.StringVar(&o.servers.postgres, "postgres", os.Getenv("AISTRALE_BENCH_POSTGRES_URL"), "URL of an empty database, to measure shipping to it too")
	flag.StringVar(&o.servers.redis, "redis", os.Getenv("AISTRALE_BENCH_REDIS_URL"), "URL of an empty Redis, to measure limits kept there too; else redis-server is run for that, where it is installed")
	flag.Float64Var(&o.max.small, "max-small", 1.95, "highest ratio to the floor on 335 B; 0: no limit")
	flag.Float64Var(&o.max.burst, "max-burst", 1.5, "highest ratio to the floor on a burst event; 0: no limit")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if err := pinSelf(1); err != nil {
		return fmt.Errorf("pin to core 1 (two cores are needed): %w", err)
	}
	rig, err := start(o.bin, o.servers)
	if err != nil {
		return err
	}
	defer rig.stop()
	report := &report{Ratios: map[string]map[string]float64{}}
	if o.only == "" {
		if err := report.measureMemory(rig); err != nil {
			return err
		}
	}
	for _, w := range works() {
		if o.only != "" && !strings.Contains(","+o.only+",", ","+w.name+",") {
			continue
		}
		row, err := measure(rig, w, o)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		report.add(row)
	}
	if o.only == "" {
		if err := report.measureRest(rig, o); err != nil {
			return err
		}
	}
	report.print(os.Stdout)
	if o.out != "" {
		b, err := json.MarshalIndent(report, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.out, append(b, '\n'), 0o600); err != nil {
			return err
		}
	}
	return report.check(o.max)
}

// measure runs one work on every target in turn, several rounds of it.
func measure(rig *rig, w work, o options) (row, error) {
	r := row{Work: w.name, Unit: w.unit, CPU: map[string]float64{}}
	samples := map[string][]float64{}
	for round := range o.rounds + 1 {
		for _, t := range rig.targets {
			if !w.fits(t) {
				continue
			}
			cpu, units, err := t.cost(func() (int, error) {
				n, err := w.load(t, o.seconds)
				return n, errors.Join(err, t.shipped())
			})
			if err != nil {
				return r, fmt.Errorf("%s: %w", t.name, err)
			}
			if round > 0 { // the first warms up
				samples[t.name] = append(samples[t.name], float64(cpu.Nanoseconds())/1000/float64(units))
			}
		}
	}
	for name, s := range samples {
		r.CPU[name] = median(s)
	}
	return r, nil
}
