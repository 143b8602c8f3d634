package providers

// A Dialect speaks with upstreams. Its methods are pure: same input, same bytes; no context,
// client, logger or key.
type Dialect interface {
	// Splice is the exact path: the client's bytes with the model and the usage option put in.
	// Only a dialect that is also a face's language is asked.
	Splice(*Call) (Plan, error)
	// WriteRequest says the hub's words in the upstream's. Its errors are *Fault.
	WriteRequest(*Request, *Call) (Plan, error)
	// ReadReply gives the reader of one reply, which owns its state.
	ReadReply(*Call) Decoder
	// Observe reads one event's data or a whole reply, statelessly and flat. It runs on every
	// event of every reply, so it looks before it parses.
	Observe(frame []byte) Seen
	// Fault reads an upstream's refusal.
	Fault(status int, header func(name string) string, body []byte) *Fault
}

// A Decoder turns an upstream's frames into hub events.
type Decoder interface {
	// Decode appends the events of one frame: the data of one SSE event, or a whole reply.
	// Bytes that cannot be read become an EventFault. The strings and the usage of the events may
	// point into frame and hold until the next call.
	Decode(events []Event, frame []byte) []Event
	// Close appends what the end of the upstream's bytes means: EventEnd, or an EventFault
	// where the reply was cut off. A decoder that already said either appends nothing.
	Close(events []Event) []Event
}

// Seen is what Observe reads from one frame.
type Seen struct {
	// Content counts the bytes of visible content (text, reasoning, arguments) in the frame.
	Content int
	// HasUsage is set where the frame carries usage; Usage then holds what it says, and Raw
	// the verbatim JSON.
	HasUsage bool
	Usage    Usage
	Finish   string // the native finish reason, "" where the frame has none
	Model    []byte // who answers, as JSON: a part of the frame, nil where it is to be looked for
	Fault    *Fault // an error inside a stream
	End      bool   // the language's own end mark ([DONE], message_stop)
	// UsageOnly is set for an event that carries nothing but usage, so that it can be left out
	// where the client did not ask for it.
	UsageOnly bool
}
