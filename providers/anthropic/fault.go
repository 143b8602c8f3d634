package anthropic

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// maxMessage bounds the text of an upstream's body that is no error of its language, in bytes.
const maxMessage = 500

// Fault implements providers.Dialect.
func (Dialect) Fault(status int, header func(name string) string, body []byte) *providers.Fault {
	var root gjson.Result
	if providers.ValidJSON(body) {
		root = gjson.ParseBytes(body)
	}
	f := faultOf(status, root)
	if f.Body == nil {
		f.Message = plainMessage(status, root, body)
	}
	f.RetryAfter = providers.RetryAfter(header)
	switch header("x-should-retry") {
	case "true":
		f.Retryable = true
	case "false":
		f.NoRetry = true // of the same upstream; another one may still do
	}
	return f
}

// statuses are those of the error types, for errors inside a stream.
// Source: https://docs.claude.com/en/api/errors
var statuses = map[string]int{
	"invalid_request_error": 400,
	"authentication_error":  401,
	"billing_error":         402,
	"permission_error":      403,
	"not_found_error":       404,
	"request_too_large":     413,
	"rate_limit_error":      429,
	"api_error":             500,
	"timeout_error":         504,
	"overloaded_error":      529,
}

// faultOf reads an error object; status is 0 for one inside a stream.
func faultOf(status int, root gjson.Result) *providers.Fault {
	said := root.Get("error")
	kind, message := said.Get("type").String(), said.Get("message").String()
	f := &providers.Fault{}
	if root.Get("type").String() == "error" && kind != "" {
		f.Language, f.Body, f.Message = Language, []byte(root.Raw), message
	}
	if status == 0 {
		if status = statuses[kind]; status == 0 {
			status = http.StatusInternalServerError
		}
	}
	f.Status = status
	classify(f, status, kind, message)
	if f.Message == "" {
		f.Message = "anthropic answered with an error"
		if kind != "" {
			f.Message += " of type '" + clip(kind) + "'"
		}
	}
	return f
}

func classify(f *providers.Fault, status int, kind, message string) {
	switch {
	case status == 401, status == 402, status == 403, kind == "authentication_error", kind == "permission_error",
		kind == "billing_error", strings.Contains(message, "credit balance"):
		// Another credential, or another target, may do.
		f.Kind, f.Status, f.Retryable, f.NoRetry = providers.FaultProviderAuth, 0, true, true // no status a client could act on
	case status == 529, kind == "overloaded_error":
		f.Kind, f.Retryable = providers.FaultOverloaded, true
	case status == 504, kind == "timeout_error":
		f.Kind, f.Retryable = providers.FaultUpstreamTimeout, true
	case status == 429:
		f.Kind, f.Retryable = providers.FaultUpstreamRejected, true
		f.Type, f.Code = "rate_limit_error", "rate_limit_exceeded"
	case status >= 400 && status < 500:
		f.Kind, f.Type = providers.FaultUpstreamRejected, "invalid_request_error"
		f.Code = codeOf(status, message)
		f.Retryable = status == 404 || status == 408 || status == 409 // of a 404: elsewhere the model may exist
	case status == 503:
		f.Kind, f.Retryable = providers.FaultOverloaded, true
	default:
		f.Kind, f.Retryable = providers.FaultUpstream, true
	}
}

// codeOf gives OpenAI's code of what the message says.
func codeOf(status int, message string) string {
	switch {
	case status == 404:
		return "model_not_found"
	case strings.Contains(message, "prompt is too long"), strings.Contains(message, "exceed context limit"),
		strings.Contains(message, "exceeds the maximum number of tokens"), strings.Contains(message, "context window"):
		return "context_length_exceeded"
	case strings.Contains(message, "content filtering policy"):
		return "content_policy_violation"
	}
	return ""
}

// plainMessage says what a proxy on the way answered in place of Anthropic. A page of HTML says
// nothing to a client.
func plainMessage(status int, root gjson.Result, body []byte) string {
	for _, path := range []string{"error.message", "message", "detail", "error"} {
		if m := root.Get(path); m.Type == gjson.String && m.Str != "" {
			return clip(m.Str)
		}
	}
	if text := bytes.TrimSpace(body); len(text) > 0 && text[0] != '<' && !root.Exists() {
		return clip(strings.ToValidUTF8(string(text), "\ufffd"))
	}
	return "anthropic answered with status " + strconv.Itoa(status)
}

func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}
