//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// columns are the targets of the table: what the gateway is held against, the peers, the gateway.
func (f *figures) columns() []string {
	seen := map[string]bool{}
	for _, r := range f.shown() {
		for name := range r.CPU {
			seen[name] = true
		}
	}
	ours := []string{whole, heldBack, shared, base}
	parts := []string{bare, noJournal, noLimits, noLog, onPostgres, onRedis, wholeRedis}
	var out []string
	for _, name := range append([]string{"nginx", "floor"}, slices.Sorted(maps.Keys(seen))...) {
		if seen[name] && !slices.Contains(append(ours, parts...), name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, name := range ours {
		if seen[name] {
			out = append(out, name)
		}
	}
	return out
}

// print writes the table as people read it in a terminal and in Markdown alike.
func (f *figures) print(w io.Writer) {
	machine := f.Machine
	if f.Awake {
		machine += ", kept awake"
	}
	_, _ = fmt.Fprintf(w, "%s, %s, %s, medians of %d rounds; µs of CPU per unit, in brackets as a ratio to the floor\n\n",
		f.Commit, f.Date.Format("2006-01-02"), machine, f.Rounds)
	if len(f.shown()) > 0 {
		f.printWorks(w)
	}
	f.printParts(w)
	f.printRest(w)
}

func (f *figures) printWorks(w io.Writer) {
	columns := f.columns()
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	line(t, append([]string{"work", "per"}, columns...))
	rule := make([]string, len(columns)+2)
	for i := range rule {
		rule[i] = "---"
	}
	line(t, rule)
	for _, r := range f.shown() {
		cells := []string{r.Work, r.Unit}
		for _, name := range columns {
			cells = append(cells, f.cell(r, name))
		}
		line(t, cells)
	}
	_ = t.Flush()
}

func line(w io.Writer, cells []string) {
	for _, cell := range cells {
		_, _ = fmt.Fprintf(w, "| %s\t", cell)
	}
	_, _ = fmt.Fprintln(w, "|")
}

func (f *figures) cell(r row, name string) string {
	us := r.CPU[name]
	switch ratio := f.ratio(r.Work, name); {
	case us == 0:
		return "-"
	case name == "floor" || ratio == 0:
		return fmt.Sprintf("%.1f", us)
	default:
		return fmt.Sprintf("%.1f (%.2f)", us, ratio)
	}
}

// printParts tells what the gateway's parts cost: each is the difference that it makes alone.
func (f *figures) printParts(w io.Writer) {
	for _, r := range f.shown() {
		if r.CPU[bare]+r.CPU[noJournal]+r.CPU[noLog] == 0 {
			continue
		}
		_, _ = fmt.Fprintf(w, "\nparts of %s:\n\n", r.Work)
		for _, part := range []struct{ what, with, without string }{
			{"limits and a budget in memory", noJournal, bare},
			{"limits and a budget in memory, beside the ledger", whole, noLimits},
			{"the journal", heldBack, noJournal},
			{"shipping to SQLite", whole, heldBack},
			{"shipping to PostgreSQL", onPostgres, heldBack},
			{"the request log", whole, noLog},
			{"limits and a budget in Redis", onRedis, bare},
			{"Redis in place of memory", onRedis, noJournal},
			{"Redis in place of memory, with the ledger", wholeRedis, whole},
			{"all of it, on PostgreSQL and Redis", shared, bare},
		} {
			if with, without := r.CPU[part.with], r.CPU[part.without]; with > 0 && without > 0 {
				_, _ = fmt.Fprintf(w, "- %s: %.1f µs, %.2f × what it is without\n", part.what, with-without, with/without)
			}
		}
	}
}

func (f *figures) printRest(w io.Writer) {
	if f.Latency == nil {
		return
	}
	_, _ = fmt.Fprintln(w)
	alone := f.Latency[direct]
	for _, name := range slices.Sorted(maps.Keys(f.Latency)) {
		if name != direct {
			l := f.Latency[name].above(alone)
			_, _ = fmt.Fprintf(w, "- %s adds at %d requests/s: p50 %.0f µs, p99 %.0f µs\n", name, latencyRate, l.P50, l.P99)
		}
	}
	if n := f.Noise; n != nil {
		_, _ = fmt.Fprintf(w, "- the machine took %.2f %% of a core's time in pauses of over a millisecond, the longest of %.0f µs, from threads that only looked at the clock\n", 100*n.Share, n.LongestUS)
	}
	for _, name := range slices.Sorted(maps.Keys(f.StreamKB)) {
		_, _ = fmt.Fprintf(w, "- memory of %s: %.0f KB per open stream, %.0f MB idle\n", name, f.StreamKB[name], f.IdleMB[name])
	}
	if h := f.Half; h != nil {
		_, _ = fmt.Fprintf(w, "- at %d requests/s, half of the %.0f that one core carries: p50 %.0f µs and p99 %.0f µs more than the mock alone, the floor %.0f and %.0f\n", h.Rate, h.Most, h.Added.P50, h.Added.P99, h.Floor.P50, h.Floor.P99)
	}
	if c := f.Cancel; c != nil {
		_, _ = fmt.Fprintf(w, "- a client leaves, the upstream notices: p50 %.0f µs, p99 %.0f µs\n", c.P50, c.P99)
	}
	if s := f.Stores; s != nil {
		_, _ = fmt.Fprintf(w, "- the stores themselves spend, per request: PostgreSQL %.1f µs, Redis %.1f µs\n", s.PostgresUS, s.RedisUS)
	}
	_, _ = fmt.Fprintf(w, "- cold start to the first answer: %.0f ms\n", f.ColdMS[whole])
}
