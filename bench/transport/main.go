//go:build linux

// Command transport measures what HTTP/2 would give the road to a provider: the gateway's own exchange,
// which is HTTP/1.1, against net/http's HTTP/2 client, both by TLS to the same upstream, which runs on
// core 1. A client runs alone on core 0, in a process of its own for each figure.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "transport:", err)
		os.Exit(1)
	}
}

func run() error {
	role := flag.String("role", "", "upstream or client: what the program starts itself as")
	dir := flag.String("dir", "", "folder with the upstream's address and certificate")
	var l load
	flag.StringVar(&l.Transport, "transport", "", "http1 or http2")
	flag.IntVar(&l.Open, "open", 0, "streams, or calls, at once")
	flag.DurationVar(&l.Every, "every", 0, "between two events of a stream; 0 is whole replies")
	flag.DurationVar(&l.For, "for", 8*time.Second, "length of one round, once all callers have begun")
	rounds := flag.Int("rounds", 3, "rounds; the median counts")
	flag.Parse()
	switch *role {
	case "upstream":
		return serve(*dir)
	case "client":
		f, err := l.run(*dir)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	return compare(l.For, *rounds)
}

// loads are what both transports are held to.
func loads(length time.Duration) []load {
	var all []load
	for _, l := range []load{
		{Open: 16}, {Open: 1, Every: 20 * time.Millisecond}, {Open: 100, Every: 20 * time.Millisecond}, {Open: 2000, Every: 500 * time.Millisecond},
	} {
		l.For = length
		all = append(all, l)
	}
	return all
}

func compare(length time.Duration, rounds int) error {
	dir, err := os.MkdirTemp("", "transport")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	upstream := pinned(1, "-role", "upstream", "-dir", dir)
	ends, err := upstream.StdinPipe() // the upstream ends with it
	if err != nil {
		return err
	}
	if err := upstream.Start(); err != nil {
		return err
	}
	defer func() { _, _ = ends.Close(), upstream.Wait() }()
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, addressFile)); err == nil {
			break
		} else if time.Now().After(until) {
			return fmt.Errorf("the upstream does not begin to serve: %w", err)
		}
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	defer func() { _ = t.Flush() }()
	_, _ = fmt.Fprint(t, "| open\t| transport\t| µs of CPU per unit\t| KB per stream\t| sockets\t| handshakes\t| first byte p50 µs\t| p99 µs\t|\n| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t|\n")
	for _, l := range loads(length) {
		all := map[string][]figures{}
		for range rounds { // in turn: a machine that slows down for a while slows both
			for _, l.Transport = range []string{http1, http2} {
				f, err := l.inProcess(dir)
				if err != nil {
					return err
				}
				all[l.Transport] = append(all[l.Transport], f)
			}
		}
		for _, l.Transport = range []string{http1, http2} {
			f := median(all[l.Transport])
			_, _ = fmt.Fprintf(t, "| %s\t| %s\t| %.1f\t| %.0f\t| %.0f\t| %.0f\t| %.0f\t| %.0f\t|\n", l, l.Transport, f.CPU, f.KB, f.Sockets, f.Handshakes, f.P50, f.P99)
		}
	}
	return nil
}

func (l load) String() string {
	if l.Every == 0 {
		return fmt.Sprintf("%d calls, whole replies", l.Open)
	}
	return fmt.Sprintf("%d streams, an event every %s", l.Open, l.Every)
}

// inProcess measures in a new process, so that nothing of another round is left in it.
func (l load) inProcess(dir string) (f figures, err error) {
	client := pinned(0, "-role", "client", "-dir", dir, "-transport", l.Transport, "-open", fmt.Sprint(l.Open), "-every", l.Every.String(), "-for", l.For.String())
	out, err := client.Output()
	if err != nil {
		return f, fmt.Errorf("%s, %s: %w", l.Transport, l, err)
	}
	return f, json.Unmarshal(out, &f)
}

// pinned is this program on one core.
func pinned(core int, args ...string) *exec.Cmd {
	cmd := exec.Command("taskset", append([]string{"-c", fmt.Sprint(core), os.Args[0]}, args...)...) //nolint:gosec // this program
	cmd.Stderr = os.Stderr
	return cmd
}

func median(all []figures) figures {
	of := func(field func(figures) float64) float64 {
		var s []float64
		for _, f := range all {
			s = append(s, field(f))
		}
		slices.Sort(s)
		return s[len(s)/2]
	}
	return figures{
		CPU: of(func(f figures) float64 { return f.CPU }), KB: of(func(f figures) float64 { return f.KB }),
		Sockets: of(func(f figures) float64 { return f.Sockets }), Handshakes: of(func(f figures) float64 { return f.Handshakes }),
		P50: of(func(f figures) float64 { return f.P50 }), P99: of(func(f figures) float64 { return f.P99 }),
	}
}
