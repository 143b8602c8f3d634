//go:build linux

package main

import (
	"errors"
	"fmt"
	"strings"
)

// holdAgainst fails where a ratio to the floor is worse than it was by more than the given percent.
// Ratios hold across machines as far as anything does; times do not.
func (f *figures) holdAgainst(earlier *figures, percent float64) error {
	var worse []error
	held := 0
	for _, r := range f.Works {
		for _, target := range []string{whole, heldBack, shared} {
			now, before := f.ratio(r.Work, target), earlier.ratio(r.Work, target)
			if now == 0 || before == 0 {
				continue
			}
			held++
			if now > before*(1+percent/100) {
				worse = append(worse, fmt.Errorf("%s, %s: %.2f × the floor, was %.2f at %s", r.Work, target, now, before, earlier.Commit))
			}
		}
	}
	if held == 0 {
		return errors.New("nothing was measured that the earlier figures have")
	}
	return errors.Join(worse...)
}

// goBench writes the rounds as Go's benchmarks print theirs, one after another. The base's are
// named as the gateway's own are, with another label, so that benchstat compares the two.
// Source: https://go.dev/design/14313-benchmark-format
func (f *figures) goBench() []byte {
	var b strings.Builder
	for _, build := range []string{base, whole} {
		_, _ = fmt.Fprintf(&b, "build: %s\n", build)
		for _, r := range f.Works {
			for _, us := range r.Samples[build] {
				_, _ = fmt.Fprintf(&b, "Benchmark/%s 1 %.4f cpu-µs/%s\n", r.Work, us, r.Unit)
			}
		}
	}
	return []byte(b.String())
}
