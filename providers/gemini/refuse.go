package gemini

import (
	"cmp"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// domain owns the reasons that the gateway itself gives.
const domain = "aistrale"

// speak gives a fault its HTTP status, and the reason that stands in the details.
func speak(f *providers.Fault) (status int, reason string) {
	status, reason = meant(f.Kind), cmp.Or(f.Code, f.Kind.String())
	switch f.Kind {
	case providers.FaultUpstreamRejected:
		status = cmp.Or(f.Status, status)
	case providers.FaultInvalid, providers.FaultNoRoute:
		if f.Status >= 400 && f.Status < 500 {
			status = f.Status
		}
	case providers.FaultProviderAuth:
		if f.Status == 400 {
			status = 400 // the API's own word for a wrong key; a 4xx keeps its status
		}
		reason = "provider_auth"
	default: // the kind says it
	}
	return status, reason
}

func meant(kind providers.FaultKind) int {
	switch kind {
	case providers.FaultInvalid, providers.FaultUpstreamRejected:
		return 400
	case providers.FaultUnauthorized:
		return 401
	case providers.FaultForbidden:
		return 403
	case providers.FaultNoRoute, providers.FaultNoModel:
		return 404
	case providers.FaultTooLarge:
		return 413
	case providers.FaultMediaType:
		return 415
	case providers.FaultHeaderTooLarge:
		return 431
	case providers.FaultRequestRate, providers.FaultTokenRate, providers.FaultQuota:
		return 429
	case providers.FaultClientGone:
		return 499
	case providers.FaultUpstream, providers.FaultProviderAuth:
		return 502
	case providers.FaultUnavailable, providers.FaultCircuitOpen, providers.FaultOverloaded:
		return 503
	case providers.FaultUpstreamTimeout:
		return 504
	case providers.FaultInternal:
	}
	return 500
}

// canonical gives the canonical code of an HTTP status.
// Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
func canonical(status int) string {
	switch status {
	case 401:
		return "UNAUTHENTICATED"
	case 403:
		return "PERMISSION_DENIED"
	case 404:
		return "NOT_FOUND"
	case 405, 501:
		return "UNIMPLEMENTED"
	case 408, 504:
		return "DEADLINE_EXCEEDED"
	case 409:
		return "ABORTED"
	case 429:
		return "RESOURCE_EXHAUSTED"
	case 499:
		return "CANCELLED"
	case 502, 503, 529:
		return "UNAVAILABLE"
	}
	if status >= 500 {
		return "INTERNAL"
	}
	return "INVALID_ARGUMENT"
}

// Refuse implements providers.Face. An error of this API goes on as it came, with its status;
// one about the gateway's own credential does not.
func (Face) Refuse(f *providers.Fault) (status int, body []byte) {
	status, reason := speak(f)
	if f.Language == Language && len(f.Body) > 0 && (f.Kind != providers.FaultProviderAuth || status == 400) {
		return cmp.Or(codeOf(f.Body), status), f.Body
	}
	return status, appendError(nil, f, status, reason)
}

// codeOf is the status that an error of this API names itself, 0 where it does not.
func codeOf(body []byte) int {
	root := gjson.ParseBytes(body)
	if root.IsArray() {
		root = root.Get("0")
	}
	if code := root.Get("error.code").Int(); code >= 400 && code <= 599 {
		return int(code)
	}
	return 0
}

// Broken implements providers.Face. No finish reason follows, so no client takes the stream for
// whole.
func (Face) Broken(f *providers.Fault) []byte {
	status, reason := speak(f)
	return append(appendError([]byte("data: "), f, status, reason), "\r\n\r\n"...)
}

// appendError says an error with the details that Google's clients know.
// Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
func appendError(dst []byte, f *providers.Fault, status int, reason string) []byte {
	w := body{b: append(dst, `{"error":{`...)}
	w.rawField("code", number(int64(status)))
	w.field("message", f.Message)
	w.field("status", canonical(status))
	w.key("details")
	w.open('[')
	w.detail("ErrorInfo")
	w.field("reason", reason)
	w.field("domain", domain)
	w.shut('}')
	if f.Param != "" {
		w.detail("BadRequest")
		w.key("fieldViolations")
		w.b = append(w.b, "[{"...)
		w.field("field", f.Param)
		w.field("description", f.Message)
		w.b = append(w.b, "}]}"...)
	}
	if f.RetryAfter > 0 {
		w.detail("RetryInfo")
		w.field("retryDelay", strconv.FormatFloat(f.RetryAfter.Seconds(), 'f', -1, 64)+"s")
		w.shut('}')
	}
	return append(w.b, "]}}"...)
}

func (w *body) detail(kind string) {
	w.open('{')
	w.field("@type", "type.googleapis.com/google.rpc."+kind)
}
