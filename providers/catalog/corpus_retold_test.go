package catalog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/sse"
)

// retell writes a reply's events in a face's words: as a stream or whole, whichever way they came.
// It gives the wire's bytes, and the data of each event on it.
func retell(face providers.Face, d providers.Dialect, call providers.Call, frames []string, stream bool) ([]byte, []string, error) {
	dec := d.ReadReply(&call)
	call.Stream = stream
	writer := face.Writer(&call)
	var events []providers.Event
	var wire []byte
	write := func() {
		for i := range events {
			if events[i].Kind != providers.EventFault {
				wire = writer.Write(wire, &events[i])
			}
		}
	}
	for _, frame := range frames {
		buffer := []byte(frame)
		events = dec.Decode(events[:0], buffer)
		write()
		for i := range buffer {
			buffer[i] = '#'
		}
	}
	events = dec.Close(events[:0])
	write()
	if !stream {
		return wire, []string{string(wire)}, nil
	}
	var out []string
	for r := sse.NewReader(bytes.NewReader(wire), nil, 64<<20); ; {
		ev, err := r.Next()
		if errors.Is(err, io.EOF) {
			return wire, out, nil
		}
		if err != nil {
			return wire, nil, fmt.Errorf("it is no event stream: %w", err)
		}
		if ev.Data != nil && !bytes.HasSuffix(ev.Raw, []byte("\n\n")) && !bytes.HasSuffix(ev.Raw, []byte("\r\n\r\n")) {
			return wire, nil, fmt.Errorf("the last event is cut: %q", ev.Raw)
		}
		if ev.Data != nil {
			out = append(out, string(ev.Data))
		}
	}
}

// malformed names breaches of the form that OpenAI's clients rely on.
func malformed(frames []string, call *providers.Call) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	object, roles, finishes, usage := "chat.completion", map[int64]int{}, map[int64]int{}, 0
	if call.Stream {
		object = "chat.completion.chunk"
		if len(frames) == 0 || frames[len(frames)-1] != "[DONE]" {
			return []string{"it does not end with [DONE]"}
		}
		frames = frames[:len(frames)-1]
	}
	first := parse(frames[0])
	for _, data := range frames {
		o := parse(data)
		if str(o["object"]) != object || str(o["id"]) == "" || o["id"] != first["id"] || o["model"] != call.Asked || o["created"] != first["created"] {
			say("a frame of another reply: %s", brief(data))
		}
		if o["usage"] != nil {
			usage++
			if call.Stream && len(list(o["choices"])) > 0 {
				say("usage beside choices")
			}
		}
		for _, v := range list(o["choices"]) {
			c := sub(v)
			index := count(c["index"])
			if message := sub(first2(c, call.Stream)); str(message["role"]) == "assistant" {
				roles[index]++
			} else if roles[index] == 0 {
				say("choice %d begins without its role", index)
			}
			if c["finish_reason"] != nil {
				finishes[index]++
			} else if finishes[index] > 0 {
				say("choice %d goes on behind its finish", index)
			}
		}
	}
	for index, n := range roles {
		if n != 1 || finishes[index] != 1 {
			say("choice %d has %d roles and %d finishes", index, n, finishes[index])
		}
	}
	if usage > 1 {
		say("%d usages", usage)
	}
	return wrong
}

func first2(choice object, stream bool) any {
	if stream {
		return choice["delta"]
	}
	return choice["message"]
}
