package proxy

import (
	"fmt"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/transcript"
	"github.com/aistrale/aistrale/storage"
)

// Transcript gives what was asked and answered in the words of spans. Each side is redacted in the
// client's own language before it is read; an operation that is no dialogue has none.
func (c *Captured) Transcript(reads func(language string) providers.Dialect, redacted func(body []byte) ([]byte, error)) (m storage.Messages, err error) {
	defer func() {
		if cause := recover(); cause != nil { // what is redacted may be what no reader was made for
			err = fmt.Errorf("put a call into words: %v", cause)
		}
	}()
	if c.call.Op != providers.OpChat {
		return m, nil
	}
	if len(c.Request) > 0 {
		if m.System, m.Input, err = c.asked(redacted); err != nil {
			return m, err
		}
	}
	if len(c.Response) == 0 {
		return m, nil
	}
	whole, err := c.Assemble(reads)
	if err != nil {
		return m, err
	}
	if whole, err = redacted(whole); err != nil {
		return m, err
	}
	answer := transcript.Answer{}
	decoder := reads(c.face.Language()).ReadReply(c.call)
	for _, events := range [][]providers.Event{decoder.Decode(nil, whole), decoder.Close(nil)} {
		for i := range events {
			answer.Note(&events[i])
		}
	}
	m.Output = answer.Messages()
	return m, nil
}

func (c *Captured) asked(redacted func([]byte) ([]byte, error)) (system, input []byte, err error) {
	body, err := redacted(c.Request)
	if err != nil {
		return nil, nil, err
	}
	doc := &providers.Document{}
	if err := doc.Scan(body, nil); err != nil {
		return nil, nil, err
	}
	hub, err := c.face.ReadRequest(doc)
	if err != nil {
		return nil, nil, err
	}
	system, input = transcript.Asked(hub)
	return system, input, nil
}
