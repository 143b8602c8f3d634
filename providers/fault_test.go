package providers

import (
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	f := func(want time.Duration, header map[string]string) {
		t.Helper()
		if got := RetryAfter(func(name string) string { return header[name] }); got != want {
			t.Errorf("RetryAfter of %v = %v, not %v", header, got, want)
		}
	}
	f(0, nil)
	f(12*time.Second, map[string]string{"retry-after": "12"})
	f(500*time.Millisecond, map[string]string{"retry-after": "12", "retry-after-ms": "500"})
	f(12*time.Second, map[string]string{"retry-after": "12", "retry-after-ms": "soon"})
	f(1500*time.Millisecond, map[string]string{"retry-after": " 1.5 "})
	f(30*time.Second, map[string]string{"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"})
	f(0, map[string]string{"retry-after": "Wed, 21 Oct 2026 07:27:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"})
	f(0, map[string]string{"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}) // against what?
	f(24*time.Hour, map[string]string{"retry-after": "Wed, 21 Oct 2099 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"})
	f(24*time.Hour, map[string]string{"retry-after": "1e30"})
	f(24*time.Hour, map[string]string{"retry-after": "Inf"})
	f(0, map[string]string{"retry-after": "NaN"})
	f(0, map[string]string{"retry-after": "-1"})
	f(0, map[string]string{"retry-after": "later"})
}
