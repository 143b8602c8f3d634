package proxy

import "github.com/aistrale/aistrale/providers/sound"

// ends keeps how a sound that goes by begins and ends, to tell how long it is.
type ends struct {
	head, tail []byte
	size       int64
	mixed      bool // of several sounds
}

// Write implements io.Writer.
func (e *ends) Write(p []byte) (int, error) {
	if room := sound.Part - len(e.head); room > 0 {
		e.head = append(e.head, p[:min(room, len(p))]...)
	}
	if last := p[max(0, len(p)-sound.Part):]; len(last) > 0 {
		if len(e.tail)+len(last) > 2*sound.Part { // seldom, so that bytes are moved few times
			keep := sound.Part - len(last)
			e.tail = append(e.tail[:0], e.tail[len(e.tail)-keep:]...)
		}
		e.tail = append(e.tail, last...)
	}
	e.size += int64(len(p))
	return len(p), nil
}

// length is how long the sound is, in milliseconds, 0 where it is not known.
func (e *ends) length(contentType string) (ms int64, counted bool) {
	if e.mixed {
		return 0, false
	}
	return sound.Length(contentType, e.head, e.tail[max(0, len(e.tail)-sound.Part):], e.size)
}

// bound is how long the sound can be, in milliseconds.
func (e *ends) bound() int64 {
	ms, counted := e.length("")
	return sound.Bound(ms, counted, e.size)
}
