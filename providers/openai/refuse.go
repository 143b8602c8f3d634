package openai

import (
	"github.com/aistrale/aistrale/providers"
)

// answer is how a kind of fault is said where the fault itself says nothing else.
type answer struct {
	status     int
	kind, code string
}

const (
	invalidRequest = "invalid_request_error"
	serverError    = "server_error"
)

func answerTo(kind providers.FaultKind) answer {
	switch kind {
	case providers.FaultInvalid:
		return answer{400, invalidRequest, ""}
	case providers.FaultUnauthorized:
		return answer{401, invalidRequest, "invalid_api_key"}
	case providers.FaultForbidden:
		return answer{403, invalidRequest, ""}
	case providers.FaultNoRoute:
		return answer{404, invalidRequest, "unknown_url"}
	case providers.FaultNoModel:
		return answer{404, invalidRequest, "model_not_found"}
	case providers.FaultTooLarge:
		return answer{413, invalidRequest, "request_too_large"}
	case providers.FaultMediaType:
		return answer{415, invalidRequest, "unsupported_media_type"}
	case providers.FaultHeaderTooLarge:
		return answer{431, invalidRequest, "request_header_too_large"}
	case providers.FaultRequestRate:
		return answer{429, "requests", "rate_limit_exceeded"}
	case providers.FaultTokenRate:
		return answer{429, "tokens", "rate_limit_exceeded"}
	case providers.FaultQuota:
		return answer{429, "insufficient_quota", "insufficient_quota"}
	case providers.FaultUnavailable:
		return answer{503, serverError, "unavailable"}
	case providers.FaultUpstreamTimeout:
		return answer{504, serverError, "upstream_timeout"}
	case providers.FaultCircuitOpen:
		return answer{503, serverError, "circuit_open"}
	case providers.FaultOverloaded:
		return answer{503, serverError, "overloaded"}
	case providers.FaultProviderAuth:
		return answer{502, serverError, "provider_auth"}
	case providers.FaultUpstream:
		return answer{502, serverError, "upstream_error"}
	case providers.FaultClientGone:
		return answer{499, invalidRequest, "client_closed_request"}
	case providers.FaultUpstreamRejected:
		return answer{400, invalidRequest, ""}
	case providers.FaultInternal:
	}
	return answer{500, serverError, "internal_error"}
}

// rejected gives an upstream's refusal the type and code that OpenAI gives its status.
func rejected(status int) answer {
	switch {
	case status == 404:
		return answer{404, invalidRequest, "model_not_found"}
	case status == 429:
		return answer{429, "requests", "rate_limit_exceeded"}
	case status >= 500:
		return answer{status, serverError, "upstream_error"}
	case status >= 400:
		return answer{status, invalidRequest, ""}
	}
	return answerTo(providers.FaultUpstreamRejected)
}

// speak settles status, type and code of a fault. A refusal of the upstream's own keeps its
// status, and so does a request that the gateway itself found wrong in another way than most
// (405, 408): what the others mean to a client is the face's to say.
func speak(f *providers.Fault) answer {
	a := answerTo(f.Kind)
	switch {
	case f.Kind == providers.FaultUpstreamRejected:
		a = rejected(f.Status)
	case f.Kind == providers.FaultProviderAuth && f.Status == 400:
		a.status, a.kind = 400, invalidRequest // Gemini's word for a wrong key; a 4xx keeps its status
	}
	if (f.Kind == providers.FaultInvalid || f.Kind == providers.FaultNoRoute) && f.Status >= 400 && f.Status < 500 {
		a.status = f.Status
	}
	if f.Kind == providers.FaultUpstreamRejected || f.Kind == providers.FaultInvalid {
		if f.Type != "" {
			a.kind = f.Type
		}
		if f.Code != "" || f.Type != "" {
			a.code = f.Code
		}
	} else if f.Code != "" && f.Kind <= providers.FaultUnavailable {
		a.code = f.Code
	}
	return a
}

// Refuse implements providers.Face.
func (Face) Refuse(f *providers.Fault) (status int, body []byte) {
	a := speak(f)
	if f.Kind == providers.FaultUpstreamRejected && f.Language == Language && len(f.Body) > 0 {
		return a.status, f.Body
	}
	return a.status, appendError(nil, f, a)
}

// Broken implements providers.Face. No [DONE] follows, so no client takes the stream for whole.
func (Face) Broken(f *providers.Fault) []byte {
	return append(appendError([]byte("data: "), f, speak(f)), '\n', '\n')
}

func appendError(dst []byte, f *providers.Fault, a answer) []byte {
	dst = append(dst, `{"error":{"message":`...)
	dst = providers.AppendString(dst, f.Message)
	dst = append(dst, `,"type":`...)
	dst = providers.AppendString(dst, a.kind)
	dst = append(dst, `,"param":`...)
	dst = appendOrNull(dst, f.Param)
	dst = append(dst, `,"code":`...)
	dst = appendOrNull(dst, a.code)
	return append(dst, '}', '}')
}

func appendOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return providers.AppendString(dst, s)
}
