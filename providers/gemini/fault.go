package gemini

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Fault implements providers.Dialect. The body may be an array with one error in it.
// Source: https://ai.google.dev/gemini-api/docs/troubleshooting
func (Dialect) Fault(status int, header func(name string) string, body []byte) *providers.Fault {
	body = bytes.TrimSpace(body)
	var e gjson.Result
	if providers.ValidJSON(body) {
		root := gjson.ParseBytes(body)
		if root.IsArray() {
			root = root.Get("0")
		}
		e = root.Get("error")
	}
	f := faultOf(status, e)
	if e.IsObject() {
		f.Language, f.Body = Language, bytes.Clone(body)
	}
	f.RetryAfter = max(f.RetryAfter, providers.RetryAfter(header))
	return f
}

// faultOf reads an error of the given HTTP status, or of the code that an error in mid-stream
// names in its place.
func faultOf(status int, e gjson.Result) *providers.Fault {
	message := e.Get("message").Str
	if message == "" && e.Type == gjson.String {
		message = e.Str
	}
	if status < 400 || status > 599 {
		status = statusOf(e.Get("status").Str)
	}
	if message == "" {
		message = fmt.Sprintf("the upstream answered with status %d", status)
	}
	f := &providers.Fault{Kind: providers.FaultUpstreamRejected, Status: status, Message: message}
	switch {
	case status == 401, status == 403:
		f.Kind, f.Status, f.NoRetry = providers.FaultProviderAuth, 0, true
	case refusesKey(e):
		// A wrong key is a 400 here, and a 4xx keeps its status; the code says whose key it is.
		f.Kind, f.NoRetry = providers.FaultProviderAuth, true
	case status == 404:
		f.Type, f.Code = "invalid_request_error", "model_not_found"
	case status == 429:
		limited(f, e)
	case status == 408, status == 504:
		f.Kind, f.Status, f.Retryable = providers.FaultUpstreamTimeout, 0, true
	case status == 503:
		f.Kind, f.Status, f.Retryable = providers.FaultOverloaded, 0, true
	case status >= 499: // 499 is the API's own "cancelled", which nobody here asked for
		f.Kind, f.Status, f.Retryable = providers.FaultUpstream, 0, true
	default:
		f.Type, f.Code = "invalid_request_error", rejection(message)
	}
	f.RetryAfter = min(retryDelay(e), providers.MaxWait)
	return f
}

// statusOf gives the HTTP status of a canonical code.
// Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
func statusOf(code string) int {
	switch code {
	case "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE":
		return 400
	case "UNAUTHENTICATED":
		return 401
	case "PERMISSION_DENIED":
		return 403
	case "NOT_FOUND":
		return 404
	case "RESOURCE_EXHAUSTED":
		return 429
	case "UNAVAILABLE":
		return 503
	case "DEADLINE_EXCEEDED":
		return 504
	}
	return 500
}

// refusesKey reports a refusal of the gateway's own key, which the API answers with 400.
func refusesKey(e gjson.Result) bool {
	bad := false
	e.Get("details").ForEach(func(_, d gjson.Result) bool {
		reason := d.Get("reason").Str
		bad = bad || strings.HasPrefix(reason, "API_KEY_") || reason == "SERVICE_DISABLED" || reason == "CONSUMER_INVALID"
		return true
	})
	message := e.Get("message").Str
	return bad || strings.HasPrefix(message, "API key not valid") || strings.HasPrefix(message, "API key expired")
}

// limited reads a 429. A quota per day does not come back within any wait worth having.
func limited(f *providers.Fault, e gjson.Result) {
	f.Type, f.Code, f.Retryable = "requests", "rate_limit_exceeded", true
	e.Get("details").ForEach(func(_, d gjson.Result) bool {
		d.Get("violations").ForEach(func(_, v gjson.Result) bool {
			id, metric := v.Get("quotaId").Str, v.Get("quotaMetric").Str
			if strings.Contains(id, "Token") || strings.Contains(metric, "token") {
				f.Type = "tokens"
			}
			if strings.Contains(id, "PerDay") {
				f.NoRetry = true // not by this account; another one, or another target, may do
			}
			return true
		})
		return true
	})
	if f.NoRetry {
		f.Type, f.Code = "insufficient_quota", "insufficient_quota"
	}
}

// rejection gives OpenAI's code of a refusal that the client can do something about.
func rejection(message string) string {
	low := strings.ToLower(message)
	switch {
	case strings.Contains(low, "token") && (strings.Contains(low, "exceeds the maximum") || strings.Contains(low, "exceeds the limit")):
		return "context_length_exceeded"
	case strings.Contains(low, "safety") && strings.Contains(low, "block"), strings.Contains(low, "prohibited content"):
		return "content_policy_violation"
	}
	return ""
}

// retryDelay reads google.rpc.RetryInfo, else the wait that the message names.
func retryDelay(e gjson.Result) time.Duration {
	var wait time.Duration
	e.Get("details").ForEach(func(_, d gjson.Result) bool {
		if said, err := time.ParseDuration(d.Get("retryDelay").Str); err == nil {
			wait = max(wait, said)
		}
		return true
	})
	if wait > 0 {
		return wait
	}
	_, after, ok := strings.Cut(e.Get("message").Str, "Please retry in ")
	if !ok {
		return 0
	}
	end := strings.IndexByte(after, 's')
	if end < 0 {
		return 0
	}
	said, err := time.ParseDuration(after[:end+1])
	if err != nil || said < 0 {
		return 0
	}
	return said
}
