package responses

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// response is the response object as it stands. Output and usage are said at its end; what the
// client asked for is said back in its own bytes.
func (w *writer) response(dst []byte, status string, f *providers.Fault) []byte {
	over := status != "in_progress"
	dst = providers.AppendString(append(dst, `{"id":`...), w.id)
	dst = strconv.AppendInt(append(dst, `,"object":"response","created_at":`...), w.call.Created.Unix(), 10)
	dst = append(append(append(dst, `,"status":"`...), status...), `","background":false,"error":`...)
	if f == nil {
		dst = append(dst, "null"...)
	} else {
		dst = appendResponseError(dst, f)
	}
	dst = append(dst, `,"incomplete_details":`...)
	switch {
	case status != "incomplete":
		dst = append(dst, "null"...)
	case w.finish == providers.FinishContentFilter:
		dst = append(dst, `{"reason":"content_filter"}`...)
	default:
		dst = append(dst, `{"reason":"max_output_tokens"}`...)
	}
	dst = w.echo(dst, "instructions", "null")
	dst = w.echo(dst, "max_output_tokens", "null")
	dst = w.echo(dst, "max_tool_calls", "null")
	dst = w.echo(dst, "metadata", "{}")
	dst = providers.AppendString(append(dst, `,"model":`...), w.call.Asked)
	dst = append(dst, `,"output":[`...)
	if over {
		dst = w.appendOutput(dst)
	}
	dst = append(dst, ']')
	dst = w.echo(dst, "parallel_tool_calls", "true")
	dst = w.goesOn(dst)
	dst = w.echo(dst, "prompt_cache_key", "null")
	dst = w.echo(dst, "reasoning", `{"effort":null,"summary":null}`)
	dst = w.echo(dst, "safety_identifier", "null")
	dst = w.tier(dst, over)
	dst = strconv.AppendBool(append(dst, `,"store":`...), w.call.Keeps.Reply)
	dst = w.echo(dst, "temperature", "null")
	dst = w.echo(dst, "text", `{"format":{"type":"text"}}`)
	dst = w.echo(dst, "tool_choice", `"auto"`)
	dst = w.echo(dst, "tools", "[]")
	dst = w.echo(dst, "top_logprobs", "0")
	dst = w.echo(dst, "top_p", "null")
	dst = w.echo(dst, "truncation", `"disabled"`)
	dst = append(dst, `,"usage":`...)
	if over && w.used {
		dst = appendUsage(dst, &w.usage)
	} else {
		dst = append(dst, "null"...) // nobody said; a zero would be a lie
	}
	return append(w.echo(dst, "user", "null"), '}')
}

// echo says a member of the request back, or what stands for one that was not said.
func (w *writer) echo(dst []byte, name, absent string) []byte {
	dst = append(append(append(dst, ',', '"'), name...), '"', ':')
	if w.call.Doc != nil {
		if raw := w.call.Doc.Value(name); !isNull(raw) {
			return oneLine(dst, raw)
		}
	}
	return append(dst, absent...)
}

// goesOn names what the call went on with, which its body no longer does once it was unfolded.
func (w *writer) goesOn(dst []byte) []byte {
	k := &w.call.Keeps
	if k.Conversation != "" {
		dst = append(providers.AppendString(append(dst, `,"conversation":{"id":`...), k.Conversation), '}')
	}
	if k.Previous == "" {
		return w.echo(dst, "previous_response_id", "null")
	}
	return providers.AppendString(append(dst, `,"previous_response_id":`...), k.Previous)
}

// oneLine appends JSON of somebody else's without its line ends, which would end an event's data.
// They stand between values only: inside a string JSON has them escaped.
func oneLine(dst, raw []byte) []byte {
	for len(raw) > 0 {
		end := bytes.IndexAny(raw, "\r\n")
		if end < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:end]...)
		raw = bytes.TrimLeft(raw[end:], " \t\r\n")
	}
	return dst
}

// tier is the service tier that served, while that is open the one asked for.
func (w *writer) tier(dst []byte, over bool) []byte {
	tier := ""
	if over && w.used {
		tier = w.usage.Total().Tier
	}
	switch tier {
	case "":
		return w.echo(dst, "service_tier", "null")
	case "standard": // Anthropic's name of what OpenAI calls default
		tier = "default"
	}
	return providers.AppendString(append(dst, `,"service_tier":`...), tier)
}

func (w *writer) appendOutput(dst []byte) []byte {
	for i, it := range w.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = it.append(dst)
	}
	return dst
}

// appendResponseError is the error of a response that failed: one of few codes, and the text.
func appendResponseError(dst []byte, f *providers.Fault) []byte {
	code := "server_error"
	switch f.Kind {
	case providers.FaultRequestRate, providers.FaultTokenRate, providers.FaultQuota:
		code = "rate_limit_exceeded"
	case providers.FaultUpstreamRejected:
		if f.Status == 429 {
			code = "rate_limit_exceeded"
		} else if f.Status < 500 {
			code = "invalid_prompt"
		}
	default: // the upstream's failures, and ours
	}
	dst = providers.AppendString(append(dst, `{"code":`...), code)
	return append(providers.AppendString(append(dst, `,"message":`...), f.Message), '}')
}

// Broken implements providers.Face. The object that OpenAI's other errors have stands in it too:
// official clients throw where they see it.
func (Face) Broken(f *providers.Fault) []byte {
	return appendFault([]byte("event: error\ndata: {\"type\":\"error\""), f)
}

// appendFault ends an error event.
func appendFault(dst []byte, f *providers.Fault) []byte {
	_, body := openai.Face{}.Refuse(f)
	object := gjson.GetBytes(body, "error")
	dst = append(dst, `,"code":`...)
	dst = appendOrNull(dst, object.Get("code").Str)
	dst = append(providers.AppendString(append(dst, `,"message":`...), f.Message), `,"param":`...)
	dst = append(appendOrNull(dst, f.Param), `,"error":`...)
	return append(append(dst, object.Raw...), eventEnd...)
}

func appendOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return providers.AppendString(dst, s)
}
