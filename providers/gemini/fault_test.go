package gemini

import (
	"testing"
	"time"
)

func TestDialect_FaultWaits(t *testing.T) {
	f := func(want time.Duration, header, e string) {
		t.Helper()
		said := func(name string) string {
			if name == "retry-after" {
				return header
			}
			return ""
		}
		if got := (Dialect{}).Fault(429, said, []byte(`{"error":{"code":429,`+e+`}}`)).RetryAfter; got != want {
			t.Errorf("%s with retry-after %q waits %v, not %v", e, header, got, want)
		}
	}
	info := func(wait string) string {
		return `"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"` + wait + `"}]`
	}
	f(0, "", `"message":"slow"`)
	f(38*time.Second, "", info("38s"))
	f(38*time.Second, "12", info("38s"))
	f(60*time.Second, "60", info("38s"))
	f(34074*time.Millisecond, "", `"message":"Quota exceeded. Please retry in 34.074s."`)
	f(38*time.Second, "", `"message":"Please retry in 34.074s.",`+info("38s"))
	f(24*time.Hour, "", info("99999h"))
	f(24*time.Hour, "", `"message":"Please retry in 9999999s."`)
	f(0, "", info("-5s"))
	f(0, "", info("soon"))
	f(0, "", `"message":"Please retry in a while, or buy seats"`)
}
