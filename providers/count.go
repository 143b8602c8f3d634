package providers

import "github.com/tidwall/gjson"

// A count of tokens goes by the hub as a request whose reply is one usage event and the end.

// AppendCount appends what a whole reply says that is a count: total is where the tokens stand in
// it, cached where those among them that a cache served, "" nowhere. It is false where the reply
// says no total.
func AppendCount(events []Event, frame []byte, total, cached string) ([]Event, bool) {
	n := gjson.GetBytes(frame, total)
	if !ValidJSON(frame) || n.Type != gjson.Number {
		return events, false
	}
	var line UsageLine
	line.Set(InputTotal, n.Int())
	if cached != "" {
		if read := gjson.GetBytes(frame, cached); read.Exists() {
			line.Set(CacheRead, read.Int())
		}
	}
	return append(events, Event{Kind: EventUsage, Usage: &Usage{Lines: []UsageLine{line}}}, Event{Kind: EventEnd}), true
}

// CountWriter says a count to a client.
type CountWriter struct {
	// Say appends the whole reply in the client's words.
	Say   func(dst []byte, n Normal) []byte
	usage Usage
}

// Write implements Writer.
func (w *CountWriter) Write(dst []byte, ev *Event) []byte {
	switch ev.Kind {
	case EventUsage:
		if ev.Usage != nil {
			w.usage.Merge(*ev.Usage)
		}
	case EventEnd:
		return w.Say(dst, w.usage.Called())
	default: // a count has no text
	}
	return dst
}

// Passed implements Writer; a count is no stream.
func (*CountWriter) Passed([]byte) {}
