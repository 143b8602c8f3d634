package anthropic

import (
	"net/http"

	"github.com/aistrale/aistrale/providers"
)

// The types of errors that have a meaning beyond their status.
const (
	invalidRequest = "invalid_request_error"
	apiError       = "api_error"
)

// statusOverloaded is Anthropic's own status for too much load.
const statusOverloaded = 529

// speak gives a fault the status and type that Anthropic gives it.
// Source: https://docs.claude.com/en/api/errors
func speak(f *providers.Fault) (status int, kind string) {
	switch f.Kind {
	case providers.FaultUnauthorized:
		return http.StatusUnauthorized, "authentication_error"
	case providers.FaultForbidden:
		return http.StatusForbidden, "permission_error"
	case providers.FaultNoModel:
		return http.StatusNotFound, "not_found_error"
	case providers.FaultTooLarge:
		return http.StatusRequestEntityTooLarge, "request_too_large"
	case providers.FaultMediaType:
		return http.StatusUnsupportedMediaType, invalidRequest
	case providers.FaultHeaderTooLarge:
		return http.StatusRequestHeaderFieldsTooLarge, invalidRequest
	case providers.FaultRequestRate, providers.FaultTokenRate, providers.FaultQuota:
		return http.StatusTooManyRequests, "rate_limit_error"
	case providers.FaultUnavailable:
		if f.Code == "overloaded" {
			return http.StatusServiceUnavailable, "overloaded_error"
		}
		return http.StatusServiceUnavailable, apiError
	case providers.FaultCircuitOpen:
		return http.StatusServiceUnavailable, "overloaded_error"
	case providers.FaultOverloaded:
		return statusOverloaded, "overloaded_error"
	case providers.FaultUpstream:
		return http.StatusBadGateway, apiError
	case providers.FaultUpstreamTimeout:
		return http.StatusGatewayTimeout, "timeout_error"
	case providers.FaultClientGone:
		return 499, invalidRequest
	case providers.FaultInvalid, providers.FaultNoRoute, providers.FaultUpstreamRejected, providers.FaultProviderAuth:
		return speakOwn(f)
	case providers.FaultInternal:
	}
	return http.StatusInternalServerError, apiError
}

// speakOwn is for faults that may bring a status with them.
func speakOwn(f *providers.Fault) (status int, kind string) {
	status = f.Status
	switch f.Kind {
	case providers.FaultProviderAuth:
		if status != http.StatusBadRequest && status != http.StatusPaymentRequired {
			return http.StatusBadGateway, apiError // the client's own key is none of the upstream's business
		}
	case providers.FaultNoRoute:
		if status == 0 {
			return http.StatusNotFound, "not_found_error"
		}
	default:
		if status == 0 {
			return http.StatusBadRequest, invalidRequest
		}
	}
	return status, kindOf(status)
}

// kindOf is the type of error that goes with a status.
func kindOf(status int) string {
	for kind, of := range statuses {
		if of == status {
			return kind
		}
	}
	if status >= http.StatusInternalServerError {
		return apiError
	}
	return invalidRequest
}

// verbatim reports an upstream's own error in this language, which goes on as it came. What it
// says of a credential is about ours.
func verbatim(f *providers.Fault) bool {
	return f.Language == Language && len(f.Body) > 0 && f.Status > 0 &&
		f.Status != http.StatusUnauthorized && f.Status != http.StatusForbidden
}

// Refuse implements providers.Face.
func (Face) Refuse(f *providers.Fault) (status int, body []byte) {
	if verbatim(f) {
		return f.Status, f.Body
	}
	status, kind := speak(f)
	return status, appendError(nil, f, kind)
}

// Broken implements providers.Face. No message_stop follows, so no client takes the stream for
// whole.
func (Face) Broken(f *providers.Fault) []byte {
	_, kind := speak(f)
	return append(appendError([]byte("event: error\ndata: "), f, kind), '\n', '\n')
}

func appendError(dst []byte, f *providers.Fault, kind string) []byte {
	dst = providers.AppendString(append(dst, `{"type":"error","error":{"type":`...), kind)
	dst = providers.AppendString(append(dst, `,"message":`...), f.Message)
	dst = append(dst, '}')
	if f.RequestID != "" {
		dst = providers.AppendString(append(dst, `,"request_id":`...), f.RequestID)
	}
	return append(dst, '}')
}
