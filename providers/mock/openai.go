package mock

import (
	"bytes"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// openAI is OpenAI's manner.
// Source: https://platform.openai.com/docs/api-reference, and its error codes guide.
type openAI struct{}

func findOpenAI(path string) place {
	at := place{language: openAI{}}
	if isStored(path) {
		at.kept = (*errand).answer
	}
	switch path {
	case "/chat/completions":
		at.operation = operation{read: readChat, whole: writeChat, film: filmChat}
	case "/responses":
		at.kept, at.language = nil, responding{}
		at.operation = operation{read: readRespond, whole: writeRespond, film: filmRespond, keep: keepRespond}
	case "/responses/input_tokens":
		at.kept = nil
		at.operation = operation{read: readRespondCount, whole: writeRespondCount, keep: keepRespond}
	case "/completions":
		at.operation = operation{read: readCompletions, whole: writeCompletions, film: filmCompletions}
	case "/embeddings":
		at.operation = operation{read: readEmbeddings, whole: writeEmbeddings}
	case "/models":
		at.list = []byte(openAIModels)
	default:
		if media, ok := mediaOperation(path); ok {
			at.operation = media
		}
	}
	return at
}

func (openAI) authorise(h *fasthttp.RequestHeader) *refusal {
	auth := h.Peek("Authorization")
	key, ok := bytes.CutPrefix(auth, []byte("Bearer "))
	switch {
	case !ok || len(key) == 0:
		return &refusal{status: 401, message: "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."}
	case isBad(key):
		return (&refusal{status: 401}).withCode("invalid_api_key")
	}
	return nil
}

func (openAI) head(v *visit) {
	h := &v.ctx.Response.Header
	h.Set("X-Request-Id", "req_"+string(appendID(nil, v.seq, 32)))
	h.Set("Openai-Processing-Ms", "1")
	h.Set("Openai-Version", "2020-10-01")
	h.Set("X-Ratelimit-Limit-Requests", "10000")
	h.Set("X-Ratelimit-Limit-Tokens", "2000000")
	h.Set("X-Ratelimit-Remaining-Requests", "9999")
	h.Set("X-Ratelimit-Remaining-Tokens", "1999981")
	h.Set("X-Ratelimit-Reset-Requests", "6ms")
	h.Set("X-Ratelimit-Reset-Tokens", "0s")
}

func (openAI) refuse(v *visit, r *refusal) []byte {
	message, kind, code := openAIError(r)
	h := &v.ctx.Response.Header
	if r.wait > 0 {
		h.Set("Retry-After", strconv.Itoa(wholeSeconds(r.wait)))
		h.Set("Retry-After-Ms", strconv.FormatInt(r.wait.Milliseconds(), 10))
	}
	if r.quota {
		h.Set("X-Should-Retry", "false")
	}
	return appendOpenAIError(nil, message, kind, r.param, code)
}

func appendOpenAIError(dst []byte, message, kind, param, code string) []byte {
	dst = providers.AppendString(append(dst, `{"error":{"message":`...), message)
	dst = providers.AppendString(append(dst, `,"type":`...), kind)
	dst = appendOrNull(append(dst, `,"param":`...), param)
	dst = appendOrNull(append(dst, `,"code":`...), code)
	return append(dst, "}}"...)
}

func appendOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return providers.AppendString(dst, s)
}

// openAIError gives the words that OpenAI has for a status, where the refusal has none.
func openAIError(r *refusal) (message, kind, code string) {
	kind, code = "invalid_request_error", r.code
	switch {
	case r.status == 401:
		message = "Incorrect API key provided: bad. You can find your API key at https://platform.openai.com/account/api-keys."
		if r.message == "" {
			code = "invalid_api_key"
		}
	case r.status == 403:
		message = "You are not allowed to sample from this model"
	case r.status == 404:
		message = "The model does not exist or you do not have access to it."
		if r.message == "" {
			code = "model_not_found"
		}
	case r.status == 429 && r.quota:
		message = "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
		kind, code = "insufficient_quota", "insufficient_quota"
	case r.status == 429:
		message = "Rate limit reached for this model on requests per min (RPM): Limit 10000, Used 10000, Requested 1. Please try again in " + r.wait.String() + "."
		kind, code = "requests", "rate_limit_exceeded"
	case r.status == 503:
		message, kind = "The engine is currently overloaded, please try again later", "server_error"
	case r.status >= 500:
		message, kind = "The server had an error while processing your request. Sorry about that!", "server_error"
	default:
		message = "Invalid request."
	}
	if r.message != "" {
		message = r.message
	}
	return message, kind, code
}

// wholeSeconds rounds up, as retry-after knows only seconds.
func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func (openAI) broken(f *film) {
	message, kind, code := openAIError(&refusal{status: 500})
	f.event = append(f.event, "data: "...)
	f.event = appendOpenAIError(f.event, message, kind, "", code)
	f.event = append(f.event, "\n\n"...)
	f.end()
}
