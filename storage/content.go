package storage

// Content is what a request asked and was answered, before anybody has redacted it.
type Content interface {
	// Size is how many bytes it holds.
	Size() int
	// Messages puts it into the words of spans, redacted. It takes its time, and reads nothing that
	// the request still has.
	Messages() (Messages, error)
}

// Messages are what was asked and answered as OpenTelemetry's conventions for generative AI have it
// in JSON; nil where there is none.
type Messages struct {
	System, Input, Output []byte
	Cut                   bool // something was left out at the end of one of them
}
