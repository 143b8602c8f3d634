package mock

import (
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// gemini is the manner of Google's Developer API.
// Source: https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/troubleshooting
type gemini struct{}

func findGemini(path string) place {
	at := place{language: gemini{}}
	if path == "/models" {
		at.list = []byte(geminiModels)
		return at
	}
	if strings.HasPrefix(path, "/files") || strings.HasPrefix(path, "/cachedContents") {
		at.kept = (*errand).answerGoogle
		return at
	}
	name, ok := strings.CutPrefix(path, "/models/")
	model, method, found := strings.Cut(name, ":")
	if !ok || !found || model == "" || strings.Contains(model, "/") {
		return at
	}
	at.model = model
	switch method {
	case "generateContent":
		at.operation = operation{read: readGenerate, whole: writeGenerate, film: filmGenerate}
	case "streamGenerateContent":
		at.operation = operation{read: readGenerate, whole: writeGenerate, film: filmGenerate}
		at.stream = true
	case "countTokens":
		at.operation = operation{read: readCount, whole: writeCount}
	case "embedContent":
		at.operation = operation{read: readEmbed, whole: writeEmbed}
	case "batchEmbedContents":
		at.operation = operation{read: readBatch, whole: writeBatch}
	}
	return at
}

func (gemini) authorise(h *fasthttp.RequestHeader) *refusal {
	key := h.Peek("X-Goog-Api-Key")
	switch {
	case len(key) == 0:
		return &refusal{status: 403, message: "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."}
	case isBad(key):
		return &refusal{status: 400, code: "API_KEY_INVALID", message: "API key not valid. Please pass a valid API key."}
	}
	return nil
}

// head sets what Gemini sends: neither rate limits nor a request id.
func (gemini) head(v *visit) {
	v.ctx.Response.Header.Set("Server-Timing", "gfet4t7; dur=1")
}

// refuse gives an error, which a streaming method labels as an event stream though it is not.
func (gemini) refuse(v *visit, r *refusal) []byte {
	if v.place.stream {
		v.ctx.SetContentType("text/event-stream")
	}
	return appendGeminiError(nil, r)
}

func appendGeminiError(dst []byte, r *refusal) []byte {
	status, message := geminiError(r)
	dst = strconv.AppendInt(append(dst, `{"error": {"code": `...), int64(r.status), 10)
	dst = providers.AppendString(append(dst, `,"message": `...), message)
	dst = providers.AppendString(append(dst, `,"status": `...), status)
	var details []string
	if r.code != "" {
		details = append(details, `{"@type": "type.googleapis.com/google.rpc.ErrorInfo","reason": "`+r.code+`","domain": "googleapis.com","metadata": {"service": "generativelanguage.googleapis.com"}}`)
	}
	if r.param != "" {
		field := string(providers.AppendString(nil, r.param))
		text := string(providers.AppendString(nil, message))
		details = append(details, `{"@type": "type.googleapis.com/google.rpc.BadRequest","fieldViolations": [{"field": `+field+`,"description": `+text+`}]}`)
	}
	if r.quota {
		details = append(details, `{"@type": "type.googleapis.com/google.rpc.QuotaFailure","violations": [{"quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests","quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}`)
	}
	if r.wait > 0 {
		details = append(details, `{"@type": "type.googleapis.com/google.rpc.RetryInfo","retryDelay": "`+strconv.FormatFloat(r.wait.Seconds(), 'f', -1, 64)+`s"}`)
	}
	if len(details) > 0 {
		dst = append(append(append(dst, `,"details": [`...), strings.Join(details, ",")...), ']')
	}
	return append(dst, "}}"...)
}

func geminiError(r *refusal) (status, message string) {
	switch r.status {
	case 400:
		status, message = "INVALID_ARGUMENT", "Request contains an invalid argument."
	case 401:
		status, message = "UNAUTHENTICATED", "Request had invalid authentication credentials."
	case 403:
		status, message = "PERMISSION_DENIED", "The caller does not have permission"
	case 404:
		status, message = "NOT_FOUND", "Requested entity was not found."
	case 429:
		status, message = "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
		if r.wait > 0 {
			message += "\nPlease retry in " + r.wait.String() + "."
		}
	case 500:
		status, message = "INTERNAL", "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
	case 503:
		status, message = "UNAVAILABLE", "The model is overloaded. Please try again later."
	case 504:
		status, message = "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."
	default:
		status, message = "UNKNOWN", "Unknown error."
	}
	if r.message != "" {
		message = r.message
	}
	return status, message
}

func (gemini) broken(f *film) {
	f.event = append(appendGeminiError(append(f.event, "data: "...), &refusal{status: 503}), "\r\n\r\n"...)
	f.end()
}

func geminiModel(model, method string) *refusal {
	if !isMissing(model) {
		return nil
	}
	return &refusal{status: 404, message: "models/" + model + " is not found for API version v1beta, or is not supported for " + method + ". Call ListModels to see the list of available models and their supported methods."}
}
