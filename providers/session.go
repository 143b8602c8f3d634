package providers

// A Session says what the events of a conversation over a WebSocket mean, in pure functions.
type Session struct {
	Watch *Watch // governed fields of the client's events
	// Read reads an event of the client's. Its errors are *Fault.
	Read func(event *Document) (SessionAsk, error)
	// Observe reads an event of the upstream's.
	Observe func(event []byte) SessionSeen
	// Refuse says an error as an event of the upstream's; about is the client's id of the event
	// that is refused, "" for none.
	Refuse func(f *Fault, about string) []byte
	// Cancel is an event of the client's that stops a reply.
	Cancel func(reply string) []byte
	// KeyProtocol begins the subprotocol that carries the key of a client which cannot set headers.
	KeyProtocol string
}

// SessionAsk is what an event of the client's wants.
type SessionAsk struct {
	ID        string // the client's id of the event
	Reply     bool   // it asks for a reply
	Settings  bool   // it sets what later replies are like
	MaxOutput int64  // tokens of this reply, or, in settings, of each; 0 where it does not say
}

// SessionSeen is what an event of the upstream's tells.
type SessionSeen struct {
	Begun   string // the id of a reply that begins
	Done    string // the id of a reply that has ended
	Content int    // bytes of content
	Reply   string // whose content
	// Aside is set where the usage is no reply's but of another model that worked on the input
	// (a transcription); Usage's line then names it where the event does.
	Aside    bool
	HasUsage bool
	Usage    Usage
	Finish   string
	Refused  bool   // an error
	About    string // the client's id of the event that the error is about, "" unknown
}
