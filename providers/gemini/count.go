package gemini

import (
	"errors"

	"github.com/aistrale/aistrale/providers"
)

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
	events, ok := providers.AppendCount(events, frame, "totalTokens", "cachedContentTokenCount")
	if !ok {
		events = append(events, providers.Event{Kind: providers.EventFault,
			Fault: broken("the upstream's reply cannot be read", errors.New("gemini: a count without totalTokens"))})
	}
	return events
}

// Close implements providers.Decoder.
func (d *countDecoder) Close(events []providers.Event) []providers.Event {
	if d.done {
		return events
	}
	return append(events, providers.Event{Kind: providers.EventFault,
		Fault: broken("the upstream sent no reply", errors.New("gemini: the body is empty"))})
}

// sayCount says a count to a client.
func sayCount(dst []byte, n providers.Normal) []byte {
	out := body{b: append(dst, '{')}
	out.rawField("totalTokens", number(n.Input()))
	if n.CacheRead > 0 {
		out.rawField("cachedContentTokenCount", number(n.CacheRead))
	}
	out.shut('}')
	return out.b
}
