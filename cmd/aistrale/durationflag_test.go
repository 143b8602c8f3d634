package main

import (
	"flag"
	"io"
	"testing"
	"time"
)

func TestDurationFlag(t *testing.T) {
	f := func(text string, want time.Duration, problem string) {
		t.Helper()
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		got := newDurationFlag(flags, "for", time.Minute, "how long")
		var args []string
		if text != "" {
			args = []string{"--for", text}
		}
		err := flags.Parse(args)
		if problem == "" && (err != nil || *got != want) || problem != "" && (err == nil || err.Error() != problem) {
			t.Errorf("--for %q: %v, %v; want %v, %q", text, *got, err, want, problem)
		}
	}
	f("", time.Minute, "")
	f("10m", 10*time.Minute, "")
	f("30d", 720*time.Hour, "")
	f("1d12h", 36*time.Hour, "")
	f("yesterday", 0, `invalid value "yesterday" for flag -for: it is no duration such as 15m, 24h or 90d`)
	f("86400", 0, `invalid value "86400" for flag -for: it is no duration such as 15m, 24h or 90d`)
}
