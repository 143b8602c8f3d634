package catalog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/sse"
)

// retold hands a reply on to a client of Chat Completions, reads what the client got, and names
// what was lost on the way.
func retold(tongue *tongue, call providers.Call, frames []string, said *told) (wrong []string) {
	frames, err := retell(openai.Face{}, tongue.dialect, call, frames)
	if err != nil {
		return []string{err.Error()}
	}
	if said.fault != nil || !said.ended {
		return nil // no reply to compare: refused, or ended by an error event
	}
	got, ok := readOpenAI(frames)
	if !ok {
		return []string{"retold, it cannot be read: " + brief(strings.Join(frames, "\n"))}
	}
	want := told{ended: said.ended, choices: map[int]*toldChoice{}, usage: said.usage}
	for i, c := range said.choices {
		w := *c
		// Carriers have their own places, which the languages' golden cases hold.
		w.seals, w.media, w.urls, w.refusal = nil, nil, nil, ""
		// The writer tells blocks of reasoning apart by a blank line; calls may get an id.
		w.reasoning = unspaced(w.reasoning)
		// The blocks decide: OpenAI itself says stop for a call that was forced by its name.
		if w.finish != nil && len(w.calls) > 0 {
			w.finish = append([]providers.Finish{providers.FinishToolCalls}, w.finish...)
		}
		want.choices[i] = &w
	}
	for _, c := range got.choices {
		c.reasoning = unspaced(c.reasoning)
		for _, call := range c.calls {
			if call.id == "" {
				wrong = append(wrong, "retold, a call has no id")
			}
		}
	}
	for _, w := range want.differs(got) {
		wrong = append(wrong, "retold, "+w)
	}
	return append(wrong, malformed(frames, call)...)
}

func unspaced(s string) string { return strings.Join(strings.Fields(s), "") }

// retell writes a reply's events in a face's words, and gives the data of each event.
func retell(face providers.Face, d providers.Dialect, call providers.Call, frames []string) ([]string, error) {
	dec, writer := d.ReadReply(call), face.Writer(call)
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
	if !call.Stream {
		return []string{string(wire)}, nil
	}
	var out []string
	for r := sse.NewReader(bytes.NewReader(wire), nil, 64<<20); ; {
		ev, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("retold, it is no event stream: %w", err)
		}
		if ev.Data != nil && !bytes.HasSuffix(ev.Raw, []byte("\n\n")) && !bytes.HasSuffix(ev.Raw, []byte("\r\n\r\n")) {
			return nil, fmt.Errorf("retold, the last event is cut: %q", ev.Raw)
		}
		if ev.Data != nil {
			out = append(out, string(ev.Data))
		}
	}
}

// malformed names breaches of the form that OpenAI's clients rely on.
func malformed(frames []string, call providers.Call) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf("retold, "+format, args...)) }
	object, roles, finishes, usage := "chat.completion", map[int64]int{}, map[int64]int{}, 0
	if call.Stream {
		object = "chat.completion.chunk"
		if len(frames) == 0 || frames[len(frames)-1] != "[DONE]" {
			return []string{"retold, it does not end with [DONE]"}
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
