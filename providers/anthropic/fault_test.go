package anthropic_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

func TestFault(t *testing.T) {
	f := func(status int, headers map[string]string, body string, kind providers.FaultKind, code string, retryable bool, after time.Duration, message string) {
		t.Helper()
		got := anthropic.Dialect{}.Fault(status, func(n string) string { return headers[n] }, []byte(body))
		if got.Kind != kind || got.Code != code || got.Retryable != retryable || got.RetryAfter != after || got.Message != message {
			t.Errorf("%d %s\n%+v", status, body, got)
		}
		if kind == providers.FaultUpstreamRejected && got.Status != status {
			t.Errorf("status %d, want %d", got.Status, status)
		}
		if known := strings.Contains(body, `"type":"error"`); known != (got.Body != nil) || known != (got.Language == "anthropic") {
			t.Errorf("body kept: %v, in %q", got.Body != nil, got.Language)
		}
	}
	body := func(kind, message string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"},"request_id":"req_1"}`
	}
	const rejected, auth = providers.FaultUpstreamRejected, providers.FaultProviderAuth
	f(400, nil, body("invalid_request_error", "bad"), rejected, "", false, 0, "bad")
	f(400, nil, body("invalid_request_error", "prompt is too long: 2 tokens > 1 maximum"), rejected, "context_length_exceeded", false, 0, "prompt is too long: 2 tokens > 1 maximum")
	f(400, nil, body("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 2"), rejected, "context_length_exceeded", false, 0,
		"input length and `max_tokens` exceed context limit: 1 + 2 > 2")
	f(400, nil, body("invalid_request_error", "Output blocked by content filtering policy"), rejected, "content_policy_violation", false, 0, "Output blocked by content filtering policy")
	f(400, nil, body("invalid_request_error", "Your credit balance is too low"), auth, "", true, 0, "Your credit balance is too low")
	f(401, nil, body("authentication_error", "invalid x-api-key"), auth, "", true, 0, "invalid x-api-key")
	f(402, nil, body("billing_error", "pay"), auth, "", true, 0, "pay")
	f(403, map[string]string{"x-should-retry": "false"}, body("permission_error", "no"), auth, "", true, 0, "no")
	f(404, nil, body("not_found_error", "model: x"), rejected, "model_not_found", true, 0, "model: x")
	f(413, nil, body("request_too_large", "big"), rejected, "", false, 0, "big")
	f(429, map[string]string{"retry-after": "12"}, body("rate_limit_error", "slow"), rejected, "rate_limit_exceeded", true, 12*time.Second, "slow")
	f(429, map[string]string{"retry-after": "12", "retry-after-ms": "500"}, body("rate_limit_error", "slow"), rejected, "rate_limit_exceeded", true, 500*time.Millisecond, "slow")
	f(429, map[string]string{"x-should-retry": "false", "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"},
		body("rate_limit_error", "slow"), rejected, "rate_limit_exceeded", true, 30*time.Second, "slow")
	f(400, map[string]string{"x-should-retry": "true", "retry-after": "1e30"}, body("invalid_request_error", "odd"), rejected, "", true, 24*time.Hour, "odd")
	f(429, map[string]string{"retry-after": "-1"}, body("rate_limit_error", "slow"), rejected, "rate_limit_exceeded", true, 0, "slow")
	f(500, nil, body("api_error", "oops"), providers.FaultUpstream, "", true, 0, "oops")
	f(503, nil, "", providers.FaultOverloaded, "", true, 0, "anthropic answered with status 503")
	f(504, nil, body("timeout_error", "late"), providers.FaultUpstreamTimeout, "", true, 0, "late")
	f(529, nil, body("overloaded_error", "Overloaded"), providers.FaultOverloaded, "", true, 0, "Overloaded")
	f(500, nil, body("overloaded_error", "Overloaded"), providers.FaultOverloaded, "", true, 0, "Overloaded")
	// Answers of what stands between.
	f(502, nil, "<html>secret-host</html>", providers.FaultUpstream, "", true, 0, "anthropic answered with status 502")
	f(400, nil, `{"message":"no healthy upstream"}`, rejected, "", false, 0, "no healthy upstream")
	f(400, nil, `{"error":"plain"}`, rejected, "", false, 0, "plain")
	f(400, nil, "plain text", rejected, "", false, 0, "plain text")
	f(400, nil, strings.Repeat("x", 2000), rejected, "", false, 0, strings.Repeat("x", 500)+"…")
	f(400, nil, strings.Repeat("[", 200_000), rejected, "", false, 0, strings.Repeat("[", 500)+"…")
}

func TestFaultInStream(t *testing.T) {
	f := func(frame string, kind providers.FaultKind, retryable bool) {
		t.Helper()
		events := anthropic.Dialect{}.ReadReply(&providers.Call{}).Decode(nil, []byte(frame))
		if len(events) != 1 || events[0].Kind != providers.EventFault || events[0].Fault.Kind != kind || events[0].Fault.Retryable != retryable {
			t.Fatalf("%s\n%+v", frame, events)
		}
	}
	f(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, providers.FaultOverloaded, true)
	f(`{"type":"error","error":{"type":"api_error","message":"x"}}`, providers.FaultUpstream, true)
	f(`{"type":"error","error":{"type":"rate_limit_error","message":"x"}}`, providers.FaultUpstreamRejected, true)
	f(`{"type":"error","error":{"type":"invalid_request_error","message":"x"}}`, providers.FaultUpstreamRejected, false)
	f(`{"type":"error","error":{"type":"new_error","message":"x"}}`, providers.FaultUpstream, true)
	f(`{"type":"error"}`, providers.FaultUpstream, true)
	f(`{"object":"chat.completion"}`, providers.FaultUpstream, true)
	f(`{"type":"completion"}`, providers.FaultUpstream, true)
	f(`{"type":"content_block_delta","index":0,"delta":{}}`, providers.FaultUpstream, true)
	f(`<html>`, providers.FaultUpstream, true)
	f(``, providers.FaultUpstream, true)
	f(strings.Repeat(`{"type":`, 100_000), providers.FaultUpstream, true)
}
