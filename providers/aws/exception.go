package aws

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// maxMessage bounds the text of an exception that a client is told, in bytes.
const maxMessage = 500

// exceptions are the statuses of Bedrock's exceptions, which inside a stream come without one.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
var exceptions = map[string]int{
	"accessdeniedexception":         http.StatusForbidden,
	"conflictexception":             http.StatusConflict,
	"expiredtokenexception":         http.StatusForbidden,
	"internalserverexception":       http.StatusInternalServerError,
	"invalidsignatureexception":     http.StatusForbidden,
	"modelerrorexception":           http.StatusFailedDependency,
	"modelnotreadyexception":        http.StatusTooManyRequests,
	"modelstreamerrorexception":     http.StatusFailedDependency,
	"modeltimeoutexception":         http.StatusRequestTimeout,
	"resourcenotfoundexception":     http.StatusNotFound,
	"servicequotaexceededexception": http.StatusTooManyRequests,
	"serviceunavailableexception":   http.StatusServiceUnavailable,
	"throttlingexception":           http.StatusTooManyRequests,
	"unrecognizedclientexception":   http.StatusForbidden,
	"validationexception":           http.StatusBadRequest,
}

// Exception reads an exception inside a stream, by its name and body.
func Exception(name string, body []byte) *providers.Fault {
	status := exceptions[strings.ToLower(name)]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return faultOf(status, name, body)
}

// Fault reads a refusal: its exception stands in a header, with a namespace around it in places.
func Fault(status int, header func(name string) string, body []byte) *providers.Fault {
	name, _, _ := strings.Cut(header("x-amzn-errortype"), ":")
	f := faultOf(status, name, body)
	f.RetryAfter = providers.RetryAfter(header)
	return f
}

func faultOf(status int, name string, body []byte) *providers.Fault {
	f := &providers.Fault{Message: messageOf(status, name, body)}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		// Another credential, or another target, may do.
		f.Kind, f.Retryable, f.NoRetry = providers.FaultProviderAuth, true, true
	case status == http.StatusTooManyRequests:
		f.Kind, f.Status, f.Retryable = providers.FaultUpstreamRejected, status, true
		f.Type, f.Code = "rate_limit_error", "rate_limit_exceeded"
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		f.Kind, f.Retryable = providers.FaultUpstreamTimeout, true
	case status == http.StatusServiceUnavailable:
		f.Kind, f.Retryable = providers.FaultOverloaded, true
	case status == http.StatusFailedDependency, status >= http.StatusInternalServerError: // the model failed
		f.Kind, f.Retryable = providers.FaultUpstream, true
	default:
		f.Kind, f.Status, f.Type, f.Code = providers.FaultUpstreamRejected, status, "invalid_request_error", codeOf(status, f.Message)
		f.Retryable = status == http.StatusNotFound || status == http.StatusConflict // of a 404: elsewhere the model may exist
	}
	return f
}

// codeOf gives OpenAI's code of what the message says.
func codeOf(status int, message string) string {
	switch {
	case status == http.StatusNotFound:
		return "model_not_found"
	case strings.Contains(message, "Input is too long"), strings.Contains(message, "too many input tokens"),
		strings.Contains(message, "maximum context length"), strings.Contains(message, "prompt is too long"):
		return "context_length_exceeded"
	}
	return ""
}

func messageOf(status int, name string, body []byte) string {
	if providers.ValidJSON(body) {
		for _, path := range [...]string{"message", "Message"} {
			if m := gjson.GetBytes(body, path); m.Type == gjson.String && m.Str != "" {
				return clip(m.Str)
			}
		}
	}
	if name != "" {
		return "bedrock answered with " + clip(name)
	}
	return "bedrock answered with status " + strconv.Itoa(status)
}

func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}
