package providertest

import (
	"io"

	"github.com/aistrale/aistrale/providers"
)

// Ending says where the gateway ends a stream.
type Ending struct {
	Exact bool // the client gets the upstream's events as they come
	After int  // events of the upstream's
}

// CutFrom gives what a client reads of a stream that the gateway ends early, at a usage of 11
// tokens in and 7 out.
func CutFrom(face providers.Face, dialect providers.Dialect, call providers.Call, body io.Reader, end Ending) ([]byte, error) {
	var out []byte
	var events []providers.Event
	writer, decoder, seen := face.Writer(call), dialect.ReadReply(call), 0
	err := Frames(true, body, func(raw, data []byte) {
		if data == nil || seen == end.After {
			return
		}
		seen++
		if end.Exact {
			out = append(out, raw...)
			writer.Passed(data)
			return
		}
		events = decoder.Decode(events[:0], data)
		for i := range events {
			out = writer.Write(out, &events[i])
		}
	})
	line := providers.UsageLine{}
	line.Set(providers.InputTotal, 11)
	line.Set(providers.OutputTotal, 7)
	usage := providers.Usage{Lines: []providers.UsageLine{line}, Estimated: true}
	return writer.Write(out, &providers.Event{Kind: providers.EventCut, Usage: &usage}), err
}
