package media

import "testing"

func TestClock(t *testing.T) {
	f := func(seconds float64, want string) {
		t.Helper()
		if got := clock(seconds, ","); got != want {
			t.Errorf("%v s: %s, want %s", seconds, got, want)
		}
	}
	f(0, "00:00:00,000")
	f(1.5, "00:00:01,500")
	f(59.9996, "00:01:00,000")
	f(3661.25, "01:01:01,250")
	f(360_000, "100:00:00,000")
}
