package storage

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	f := func(text string, want time.Duration) {
		t.Helper()
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	const day = 24 * time.Hour
	f("0", 0)
	f("15s", 15*time.Second)
	f("90d", 90*day)
	f("0d", 0)
	f("1d12h30m", 36*time.Hour+30*time.Minute)
	f("-7d", -7*day)
	f("-1d1h", -25*time.Hour)

	for _, bad := range []string{"", "d", "5", "1.5d", "1d1d", "1d25h", "1d-1h", "200000d", "1D", "1 d", "+1d", "--1d"} {
		if got, err := ParseDuration(bad); err == nil {
			t.Errorf("%q is read as %s", bad, got)
		}
	}
}
