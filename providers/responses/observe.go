package responses

import (
	"bytes"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

// Observe implements providers.Dialect for events and whole replies. It allocates nothing for an
// event that carries only content.
func (Dialect) Observe(frame []byte) providers.Seen {
	var s sight
	s.look(frame)
	switch {
	case s.older == nil && bytes.HasSuffix(s.kind, []byte(".delta")):
		return providers.Seen{Content: s.delta}
	case s.response != nil: // of an event that ends a stream, or begins it
		if bytes.Equal(s.kind, []byte("response.created")) || bytes.Equal(s.kind, []byte("response.in_progress")) || bytes.Equal(s.kind, []byte("response.queued")) {
			return providers.Seen{}
		}
		seen := ending(s.response)
		seen.Content, seen.End = 0, true // the pieces were counted as they came
		return seen
	case s.older != nil:
		return s.olderForm()
	case s.whole:
		return ending(frame)
	case s.fault:
		return providers.Seen{Fault: streamFault(frame), End: true}
	}
	return providers.Seen{}
}

// sight is what one pass over a frame's top-level members finds.
type sight struct {
	kind     []byte // type, without its quotes
	delta    int    // bytes
	response []byte
	older    []byte // delta, where it is an object
	whole    bool   // a response object stands for itself
	fault    bool
}

// olderForm reads a chunk of the form that streams had before their events had names: each is an
// object "response.delta", and its delta says what happened.
func (s *sight) olderForm() (seen providers.Seen) {
	delta := gjson.ParseBytes(s.older)
	seen.Content = len(delta.Get("text").Str)
	if delta.Get("type").Str == "response.stop" {
		seen.Finish, seen.End = "completed", true
	}
	return seen
}

func (s *sight) look(raw []byte) {
	i := providers.SkipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return
	}
	for i++; ; i++ {
		i = providers.SkipSpace(raw, i)
		if i >= len(raw) || raw[i] != '"' {
			return
		}
		end := providers.PastValue(raw, i)
		name := raw[i+1 : max(i+1, end-1)]
		i = providers.SkipSpace(raw, end)
		if i >= len(raw) || raw[i] != ':' {
			return
		}
		i = providers.SkipSpace(raw, i+1)
		end = providers.PastValue(raw, i)
		if end == i {
			return
		}
		s.member(name, raw[i:end])
		i = providers.SkipSpace(raw, end)
		if i >= len(raw) || raw[i] != ',' {
			return
		}
	}
}

func (s *sight) member(name, value []byte) {
	text := len(value) > 1 && value[0] == '"'
	switch string(name) {
	case "type":
		if text {
			s.kind = value[1 : len(value)-1]
			s.fault = s.fault || string(s.kind) == "error"
		}
	case "delta":
		if text {
			s.delta = len(value) - 2
		} else if value[0] == '{' {
			s.older = value
		}
	case "response":
		if value[0] == '{' {
			s.response = value
		}
	case "object":
		s.whole = s.whole || string(value) == `"response"`
	case "output":
		s.whole = s.whole || value[0] == '['
	case "error":
		s.fault = s.fault || value[0] == '{'
	}
}

// ending reads a response as it stands at its end.
func ending(raw []byte) (seen providers.Seen) {
	if !providers.ValidJSON(raw) {
		return seen
	}
	response := gjson.ParseBytes(raw)
	seen.Usage, seen.HasUsage = readUsage(response)
	switch status := response.Get("status").Str; status {
	case "failed", "cancelled":
		seen.Fault = failure(response)
	case "queued", "in_progress": // in the background
	default:
		seen.Finish = status
		if reason := response.Get("incomplete_details.reason").Str; reason != "" {
			seen.Finish = reason
		}
	}
	response.Get("output").ForEach(func(_, item gjson.Result) bool {
		seen.Content += content(item)
		return true
	})
	return seen
}

// content counts the bytes of an item that were made for the reader.
func content(item gjson.Result) (n int) {
	n = len(item.Get("arguments").Str) + len(item.Get("input").Str) + len(item.Get("name").Str) + len(item.Get("code").Str)
	for _, list := range [...]string{"content", "summary"} {
		item.Get(list).ForEach(func(_, part gjson.Result) bool {
			n += len(part.Get("text").Str) + len(part.Get("refusal").Str)
			return true
		})
	}
	if n == 0 && item.Get("type").Str != "reasoning" {
		n = 1 // a hosted tool's work
	}
	return n
}

// streamFault reads an event that ends a stream as an error: OpenAI's flat one, or one with the
// object of its other APIs in it.
func streamFault(frame []byte) *providers.Fault {
	if !providers.ValidJSON(frame) {
		return nil
	}
	root := gjson.ParseBytes(frame)
	e := root.Get("error")
	if !e.IsObject() {
		e = root
	}
	return faultOf(e, int(root.Get("status").Int()))
}

// failure reads the error of a response that failed.
func failure(response gjson.Result) *providers.Fault {
	e := response.Get("error")
	if !e.IsObject() {
		return &providers.Fault{Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's response has the status " + response.Get("status").Str}
	}
	return faultOf(e, 0)
}

// faultOf makes a fault of an error object without a status: its code says whose fault it is.
func faultOf(e gjson.Result, status int) *providers.Fault {
	code := e.Get("code").Str
	switch {
	case status >= 400 && status < 600:
	case code == "rate_limit_exceeded", code == "insufficient_quota":
		status = 429
	case code == "" && e.Get("type").Str != "invalid_request_error", strings.Contains(code, "server_error"), strings.Contains(code, "timeout"):
		status = 502
	default:
		status = 400
	}
	body := append([]byte(`{"error":`), e.Raw...)
	return openai.Dialect{}.Fault(status, func(string) string { return "" }, append(body, '}'))
}
