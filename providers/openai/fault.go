package openai

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// maxMessage bounds what is kept of a body that is no error object.
const maxMessage = 500

// Fault implements providers.Dialect for OpenAI's {"error":{…}} and for what other providers
// of the language answer: {"error":"text"}, {"message":…}, {"detail":…}, plain text, HTML or
// nothing.
func (Dialect) Fault(status int, header func(name string) string, body []byte) *providers.Fault {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || !providers.ValidJSON(body) {
		f := fault(status, header, nil, gjson.Result{})
		if text := plainText(body); text != "" {
			f.Message = text
		}
		return f
	}
	root := gjson.ParseBytes(body)
	for root.IsArray() { // Google's compatible endpoint wraps its error
		root = root.Get("0")
	}
	e := root.Get("error")
	if e.IsArray() {
		e = e.Get("0")
	}
	if !e.Exists() || e.Type == gjson.Null {
		e = root
	}
	f := fault(status, header, body, e)
	if f.RetryAfter == 0 {
		f.RetryAfter = wait(root, f.Message)
	}
	return f
}

// fault makes a fault of e: an error object, a text, or nothing. body is kept where it is
// well-formed in OpenAI's sense.
func fault(status int, header func(name string) string, body []byte, e gjson.Result) *providers.Fault {
	f := &providers.Fault{Status: status, Message: message(e), Type: e.Get("type").Str, Code: code(e), Param: e.Get("param").Str}
	if f.Message == "" {
		f.Message = strings.TrimSpace("the upstream answered " + strconv.Itoa(status) + " " + http.StatusText(status))
	}
	classify(f)
	if f.Kind == providers.FaultUpstreamRejected && e.IsObject() && gjson.GetBytes(body, "error.message").Type == gjson.String {
		f.Language, f.Body = Language, bytes.Clone(body)
	}
	if header != nil {
		f.RetryAfter = providers.RetryAfter(header)
		switch header("x-should-retry") {
		case "true":
			f.Retryable = true
		case "false":
			f.NoRetry = true // of the same upstream; another one may still do
		}
	}
	return f
}

// wait reads how long to wait where no header says it: from OpenAI's and Groq's sentence
// ("Please try again in 7.66s."), or from Hugging Face's member while it loads a model.
// Sources: https://console.groq.com/docs/rate-limits,
// https://huggingface.co/docs/api-inference/detailed_parameters (estimated_time).
func wait(root gjson.Result, message string) time.Duration {
	if s := root.Get("estimated_time"); s.Type == gjson.Number && s.Num > 0 {
		return time.Duration(min(s.Num, providers.MaxWait.Seconds()) * float64(time.Second))
	}
	_, after, ok := strings.Cut(message, "try again in ")
	if !ok {
		return 0
	}
	word, _, _ := strings.Cut(after, " ")
	d, err := time.ParseDuration(strings.TrimRight(word, ".,;"))
	if err != nil {
		return 0
	}
	return min(max(0, d), providers.MaxWait)
}

func message(e gjson.Result) string {
	if e.Type == gjson.String {
		return e.Str
	}
	for _, path := range []string{"message", "detail", "error_description", "error.message", "detail.0.msg", "errors.0.message"} {
		if v := e.Get(path); v.Type == gjson.String && v.Str != "" {
			return v.Str
		}
	}
	return ""
}

// code is the error's code. A bare HTTP status, which some providers put there, says nothing.
func code(e gjson.Result) string {
	c := e.Get("code")
	if c.Type != gjson.String {
		return ""
	}
	if _, err := strconv.Atoi(c.Str); err == nil {
		return ""
	}
	return c.Str
}

func classify(f *providers.Fault) {
	switch status := f.Status; {
	case status == 401 || status == 403:
		// The upstream speaks of the gateway's credential, not of the client's.
		f.Kind, f.NoRetry = providers.FaultProviderAuth, true
		f.Status, f.Type, f.Code, f.Param = 0, "", "", ""
	case status == 503 || status == 529:
		f.Kind, f.Retryable = providers.FaultOverloaded, true
	case status == 504:
		f.Kind, f.Retryable = providers.FaultUpstreamTimeout, true
	case status >= 500 || status < 400:
		f.Kind, f.Retryable = providers.FaultUpstream, true
	default:
		f.Kind = providers.FaultUpstreamRejected
		f.Retryable = status == 402 || status == 408 || status == 409 || status == 429
		if status == 402 || f.Type == "insufficient_quota" || f.Code == "insufficient_quota" {
			f.NoRetry = true // our account is empty: only another one, or another target, may do
		}
		if f.Code == "" && tooLong(f.Message) {
			f.Code = "context_length_exceeded"
		}
	}
}

// tooLong knows the sentence of providers that give a long prompt no code of its own.
func tooLong(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "maximum context length") || strings.Contains(message, "context length exceeded")
}

// plainText keeps the first words of a body that is not JSON; markup says nothing to a client.
func plainText(body []byte) string {
	if len(body) == 0 || body[0] == '<' {
		return ""
	}
	text := strings.ToValidUTF8(string(body[:min(len(body), maxMessage)]), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' {
			return ' '
		}
		return r
	}, text))
}
