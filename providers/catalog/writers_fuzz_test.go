package catalog_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/providertest"
)

// However the events of a reply come, each language's stream has the form of its own, and says
// what the whole reply says.
func FuzzWriters(f *testing.F) {
	for _, script := range []string{
		"", "\x00\x06\x0b", "\x01\x06\x8b\x00\x06\x0b\x02\x06\x0b", "\x02\x02\x05\x16\x06\x1b\x0b", "\x00\x06\x0b\x0d\x00\x07\x0d\x1d\x0e\x0f",
		"\x30\x06\x0b\x30\x0b\x04\x0c", "\x00\x01\x02\x03\x04\x06\x16\x26\x36\x46\x4b\x0b\x0b", "\x03\x06\x0b", "\x02\x0b",
	} {
		f.Add([]byte(script))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		events := providertest.Script(script[:min(len(script), 60)])
		for _, l := range listeners {
			streamed, stream := l.write(t, events, true)
			whole, _ := l.write(t, events, false)
			for _, wrong := range whole.differs(streamed) {
				t.Errorf("%s, whole and streamed: %s\n%s", l.face.Language(), wrong, stream)
			}
		}
	})
}

// heardCall is a call whose answer a listener hears.
func heardCall(stream bool) providers.Call {
	return providers.Call{
		Op: providers.OpChat, Asked: "p/m", Model: "m", Stream: stream, IncludeUsage: true, ID: "req_0", Created: time.Unix(1_700_000_000, 0),
	}
}

// write says events in the listener's language, holds them to its form, and hears what they say.
func (l *listener) write(t *testing.T, events []providers.Event, stream bool) (*told, []byte) {
	t.Helper()
	call := heardCall(stream)
	writer := l.face.Writer(&call)
	var wire []byte
	for i := range events {
		wire = writer.Write(wire, &events[i])
	}
	frames := []string{string(wire)}
	if stream {
		frames = framesOf(t, bytes.NewReader(wire))
	}
	for _, wrong := range l.form(wire, frames, &call) {
		t.Errorf("%s, streamed %t: %s\n%s", l.face.Language(), stream, wrong, wire)
	}
	got, ok := l.read(frames)
	if !ok {
		t.Fatalf("%s, streamed %t, cannot be read:\n%s", l.face.Language(), stream, wire)
	}
	for _, c := range got.choices {
		c.reasoning, c.media, c.urls, c.seals = unspaced(c.reasoning), nil, nil, nil
	}
	return got, wire
}
