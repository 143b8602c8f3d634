package mock

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// anthropic is Anthropic's manner.
// Source: https://docs.claude.com/en/api/errors and https://docs.claude.com/en/api/rate-limits
type anthropic struct{}

func findAnthropic(path string) place {
	at := place{language: anthropic{}}
	switch path {
	case "/v1/messages":
		at.operation = operation{read: readMessages, whole: writeMessage, film: filmMessage}
	case "/v1/messages/count_tokens":
		at.operation = operation{read: readTokenCount, whole: writeTokenCount}
	case "/v1/models":
		at.list = []byte(anthropicModels)
	default:
		if strings.HasPrefix(path, claudeFiles) || strings.HasPrefix(path, claudeBatches) {
			at.kept = (*errand).answerClaude
		}
	}
	return at
}

func (anthropic) authorise(h *fasthttp.RequestHeader) *refusal {
	key := h.Peek("X-Api-Key")
	if bearer, ok := bytes.CutPrefix(h.Peek("Authorization"), []byte("Bearer ")); ok && len(key) == 0 {
		key = bearer
	}
	switch {
	case len(key) == 0:
		return &refusal{status: 401, message: "x-api-key header is required"}
	case isBad(key):
		return &refusal{status: 401}
	case len(h.Peek("Anthropic-Version")) == 0:
		return invalidf("anthropic-version: header is required")
	}
	return nil
}

func (anthropic) head(v *visit) {
	h := &v.ctx.Response.Header
	h.Set("Request-Id", requestID(v.seq))
	var at [32]byte
	reset := v.server.options.Now().UTC().Add(time.Second).AppendFormat(at[:0], time.RFC3339)
	for _, one := range anthropicLimits {
		h.Set(one.name+"-Limit", one.limit)
		h.Set(one.name+"-Remaining", one.remaining)
		h.SetBytesV(one.name+"-Reset", reset)
	}
}

var anthropicLimits = [...]struct{ name, limit, remaining string }{
	{"Anthropic-Ratelimit-Requests", "4000", "3999"},
	{"Anthropic-Ratelimit-Tokens", "2400000", "2399000"},
	{"Anthropic-Ratelimit-Input-Tokens", "2000000", "1999000"},
	{"Anthropic-Ratelimit-Output-Tokens", "400000", "400000"},
}

func requestID(seq uint64) string { return string(appendID([]byte("req_01"), seq, 22)) }

func (anthropic) refuse(v *visit, r *refusal) []byte {
	kind, message := anthropicError(r)
	h := &v.ctx.Response.Header
	if r.wait > 0 {
		h.Set("Retry-After", strconv.Itoa(wholeSeconds(r.wait)))
	}
	again := r.status == 408 || r.status == 429 || r.status >= 500
	h.Set("X-Should-Retry", strconv.FormatBool(again && !r.quota))
	body := providers.AppendString([]byte(`{"type":"error","error":{"type":`), kind)
	body = providers.AppendString(append(body, `,"message":`...), message)
	return append(append(append(body, `},"request_id":"`...), requestID(v.seq)...), `"}`...)
}

func anthropicError(r *refusal) (kind, message string) {
	switch {
	case r.quota:
		kind, message = "invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."
	case r.status == 401:
		kind, message = "authentication_error", "invalid x-api-key"
	case r.status == 402:
		kind, message = "billing_error", "There is an issue with your billing or payment information."
	case r.status == 403:
		kind, message = "permission_error", "Your API key does not have permission to use the specified resource."
	case r.status == 404:
		kind, message = "not_found_error", "Not found"
	case r.status == 413:
		kind, message = "request_too_large", "Request exceeds the maximum size"
	case r.status == 429:
		kind, message = "rate_limit_error", "This request would exceed your organization's rate limit of 4,000 requests per minute. Please reduce the prompt length or the maximum tokens requested, or try again later."
	case r.status == 504:
		kind, message = "timeout_error", "Request timed out"
	case r.status == 529:
		kind, message = "overloaded_error", "Overloaded"
	case r.status >= 500:
		kind, message = "api_error", "Internal server error"
	default:
		kind, message = "invalid_request_error", "Invalid request"
	}
	if r.message != "" {
		message = r.message
	}
	return kind, message
}

func (anthropic) broken(f *film) {
	f.event = append(f.event, `event: error`+"\n"+`data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`+"\n\n"...)
	f.end()
}
