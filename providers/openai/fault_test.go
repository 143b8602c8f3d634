package openai_test

import (
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestFault_wait(t *testing.T) {
	f := func(status int, body string, want time.Duration, headers ...string) {
		t.Helper()
		header := func(name string) string {
			for i := 0; i < len(headers); i += 2 {
				if headers[i] == name {
					return headers[i+1]
				}
			}
			return ""
		}
		if got := (openai.Dialect{}).Fault(status, header, []byte(body)); got.RetryAfter != want {
			t.Errorf("%d %s %q: %s, want %s", status, body, headers, got.RetryAfter, want)
		}
	}
	said := func(message string) string { return `{"error":{"message":"` + message + `","type":"tokens"}}` }
	f(429, said("Rate limit reached. Please try again in 7.66s. Visit https://x for more."), 7660*time.Millisecond)
	f(429, said("Limit 12000, Used 11934. Please try again in 2m59.56s."), 179560*time.Millisecond)
	f(429, said("Please try again in 6ms."), 6*time.Millisecond)
	f(429, said("Please try again in 7.66s."), 2*time.Second, "retry-after", "2")
	f(429, said("Please try again in 9000h."), 24*time.Hour)
	f(429, said("Please try again in -5s."), 0)
	f(429, said("Please try again in a while."), 0)
	f(429, said("Slow down"), 30*time.Second, "retry-after", "Wed, 21 Oct 2026 07:28:30 GMT", "date", "Wed, 21 Oct 2026 07:28:00 GMT")
	f(503, `{"error":"Model x is currently loading","estimated_time":20.5}`, 20500*time.Millisecond)
	f(503, `{"error":"Model x is currently loading","estimated_time":1e30}`, 24*time.Hour)
}

// Retryable is about any target, NoRetry about this account: an empty account says both.
func TestFault_retry(t *testing.T) {
	f := func(status int, body, should string, retryable, noRetry bool) {
		t.Helper()
		got := openai.Dialect{}.Fault(status, func(name string) string {
			if name == "x-should-retry" {
				return should
			}
			return ""
		}, []byte(body))
		if got.Retryable != retryable || got.NoRetry != noRetry {
			t.Errorf("%d %s %q: retryable %t, no retry %t", status, body, should, got.Retryable, got.NoRetry)
		}
		if status == 402 && (got.Kind != providers.FaultUpstreamRejected || got.Status != 402) {
			t.Errorf("402 became %+v", got)
		}
	}
	f(400, `{"error":{"message":"no"}}`, "", false, false)
	f(400, `{"error":{"message":"no"}}`, "true", true, false)
	f(402, `{"error":{"message":"Insufficient Balance"}}`, "", true, true)
	f(429, `{"error":{"message":"slow"}}`, "", true, false)
	f(429, `{"error":{"message":"slow"}}`, "false", true, true)
	f(429, `{"error":{"message":"empty","code":"insufficient_quota"}}`, "", true, true)
	f(500, `{"error":{"message":"oops"}}`, "false", true, true)
	f(404, `{"error":{"message":"no such model"}}`, "", false, false)
}
