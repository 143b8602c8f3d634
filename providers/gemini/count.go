package gemini

import (
	"errors"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// A count of tokens has a hub of its own making: the request is a chat's, and the reply one usage
// event with the input.

// countRequest says a chat's request as one to countTokens, whose own members have no place for tools
// and instructions.
// Source: https://ai.google.dev/api/tokens#method:-models.counttokens
func countRequest(call *providers.Call, request []byte) []byte {
	s := splicer{call: call}
	var w body
	w.open('{')
	w.key("generateContentRequest")
	w.open('{')
	w.field("model", s.resource())
	w.next()
	w.b = append(w.b, request[1:]...)
	w.shut('}')
	return w.b
}

// countDecoder reads a reply of countTokens.
type countDecoder struct{ done bool }

// Decode implements providers.Decoder.
func (d *countDecoder) Decode(events []providers.Event, frame []byte) []providers.Event {
	d.done = true
	total := gjson.GetBytes(frame, "totalTokens")
	if !providers.ValidJSON(frame) || total.Type != gjson.Number {
		return append(events, providers.Event{Kind: providers.EventFault,
			Fault: broken("the upstream's reply cannot be read", errors.New("gemini: a count without totalTokens"))})
	}
	var line providers.UsageLine
	line.Set(providers.InputTotal, total.Int())
	if cached := gjson.GetBytes(frame, "cachedContentTokenCount"); cached.Exists() {
		line.Set(providers.CacheRead, cached.Int())
	}
	return append(events,
		providers.Event{Kind: providers.EventUsage, Usage: &providers.Usage{Lines: []providers.UsageLine{line}}},
		providers.Event{Kind: providers.EventEnd})
}

// Close implements providers.Decoder.
func (d *countDecoder) Close(events []providers.Event) []providers.Event {
	if d.done {
		return events
	}
	return append(events, providers.Event{Kind: providers.EventFault,
		Fault: broken("the upstream sent no reply", errors.New("gemini: the body is empty"))})
}

// countWriter says a count to a client.
type countWriter struct{ usage providers.Usage }

// Write implements providers.Writer.
func (w *countWriter) Write(dst []byte, ev *providers.Event) []byte {
	switch ev.Kind {
	case providers.EventUsage:
		if ev.Usage != nil {
			w.usage.Merge(*ev.Usage)
		}
	case providers.EventEnd:
		n := w.usage.Called()
		out := body{b: append(dst, '{')}
		out.rawField("totalTokens", number(n.Input()))
		if n.CacheRead > 0 {
			out.rawField("cachedContentTokenCount", number(n.CacheRead))
		}
		out.shut('}')
		return out.b
	default: // a count has no text
	}
	return dst
}

// Passed implements providers.Writer; a count is no stream.
func (*countWriter) Passed([]byte) {}
