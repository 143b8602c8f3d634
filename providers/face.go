package providers

// A Face speaks with clients. Its methods are pure: same input, same bytes.
type Face interface {
	// Language is the wire format's name; a route of the same language is served exactly.
	Language() string
	// ReadRequest says the client's words in the hub's. Its errors are *Fault.
	ReadRequest(doc *Document) (*Request, error)
	// Writer says hub events in the client's words, streaming or whole. It looks at the call for
	// as long as it is used.
	Writer(*Call) Writer
	// Refuse says an error in the client's words.
	Refuse(*Fault) (status int, body []byte)
	// Broken is the event that ends a stream which broke after its first byte.
	Broken(*Fault) []byte
}

// A Writer turns hub events into a client's bytes. It owns its state and serves one reply.
type Writer interface {
	// Write appends what the event adds to the wire: for a stream whole SSE events, for a whole
	// reply nothing until EventEnd, then the body. EventCut ends a stream cleanly: with a finish
	// for every choice that is open, usage where the client asked for it, and the end mark.
	Write(dst []byte, ev *Event) []byte
	// Passed notes the data of an event that the client was sent as it came from an upstream of
	// its own language, so that EventCut can end such a stream too. It keeps nothing of frame.
	Passed(frame []byte)
}
