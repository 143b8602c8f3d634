//go:build linux

// Command bench measures the gateway against the floor (a bare Go proxy) and nginx, in
// interleaved rounds on pinned cores: what it carries runs on core 0, the mock provider and
// the load on core 1. CPU per request, and ratios taken in one run, are what to trust; times
// differ between machines.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

type options struct {
	bin      string
	rounds   int
	seconds  time.Duration
	only     string
	awake    bool
	gateways string
	base     string
	stores   stores
	peers    []peer
}

// latency reports whether the latencies are to be taken.
func (o options) latency() bool {
	return o.only == "" || slices.Contains(strings.Split(o.only, ","), "latency")
}

// outputs say what becomes of the figures.
type outputs struct {
	from                      string // figures that were measured before; "" measures now
	json, plot, text, against string
	worse                     float64
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	var out outputs
	var peers string
	flag.StringVar(&o.bin, "bin", "bin", "folder with the programs aistrale and floor")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each work; the median counts")
	flag.DurationVar(&o.seconds, "seconds", 2*time.Second, "length of one round of one work")
	flag.StringVar(&o.only, "only", "", "works to run, or of -from those to show, comma-separated, latency among them (default: all)")
	flag.BoolVar(&o.awake, "awake", false, "keep the cores from falling asleep where they have nothing to do")
	flag.StringVar(&o.gateways, "gateways", "", "gateways to run, comma-separated (default: all): aistrale,shared,held back,no journal,no limits,no log,bare,postgres,redis,whole redis")
	flag.StringVar(&o.base, "base", "", "another build of aistrale, to be measured in the same rounds")
	flag.StringVar(&o.stores.postgres, "postgres", os.Getenv("AISTRALE_BENCH_POSTGRES_URL"), "URL of a PostgreSQL whose user may create databases; else one is run, where it is installed")
	flag.StringVar(&o.stores.redis, "redis", os.Getenv("AISTRALE_BENCH_REDIS_URL"), "URL of an empty Redis, without a database; else one is run, where it is installed")
	flag.StringVar(&peers, "peers", "", "other gateways to be measured beside this one, comma-separated: portkey, or a file that says how it is started")
	flag.StringVar(&out.from, "from", "", "figures of an earlier run, to be shown in place of a run")
	flag.StringVar(&out.json, "json", "", "file for the figures as JSON")
	flag.StringVar(&out.plot, "plot", "", "file for a plot of the ratios to the floor, as SVG")
	flag.StringVar(&out.text, "gobench", "", "file for all rounds in the form that benchstat reads")
	flag.StringVar(&out.against, "against", "", "figures of an earlier run, that these are held against")
	flag.Float64Var(&out.worse, "worse", 15, "percent by which a ratio to the floor may be worse than in -against, before the run fails")
	flag.Parse()
	var err error
	if o.peers, err = readPeers(peers); err != nil {
		return err
	}
	f, err := o.figures(out.from)
	if err != nil {
		return err
	}
	f.only = o.only
	f.print(os.Stdout)
	return out.write(f)
}

// figures measures, or reads what was measured.
func (o options) figures(from string) (*figures, error) {
	if from != "" {
		return readFigures(from)
	}
	if some, _ := wanted(o.only); len(some) == 0 && !o.latency() {
		return nil, fmt.Errorf("-only %s: there is no such work", o.only)
	}
	if err := pinSelf(1); err != nil {
		return nil, fmt.Errorf("pin to core 1 (two cores are needed): %w", err)
	}
	if o.awake {
		held, err := keepAwake()
		if err != nil {
			return nil, err
		}
		defer func() { _ = held.Close() }()
	}
	r, err := start(o)
	if err != nil {
		return nil, err
	}
	defer r.stop()
	return measure(r, o)
}

func (out outputs) write(f *figures) error {
	if out.json != "" {
		if err := f.write(out.json); err != nil {
			return err
		}
	}
	if out.plot != "" {
		if err := os.WriteFile(out.plot, f.plot(), 0o600); err != nil {
			return err
		}
	}
	if out.text != "" {
		if err := os.WriteFile(out.text, f.goBench(), 0o600); err != nil {
			return err
		}
	}
	if out.against == "" {
		return nil
	}
	earlier, err := readFigures(out.against)
	if err != nil {
		return err
	}
	return f.holdAgainst(earlier, out.worse)
}
