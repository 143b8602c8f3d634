package proxy

import (
	"cmp"
	"errors"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/transcript"
	"github.com/aistrale/aistrale/storage"
)

// Why one side of a call is not in its transcript. What a reader says of it may quote it, and goes nowhere.
var (
	errAskedWords    = errors.New("what was asked cannot be redacted or read")
	errAnsweredWords = errors.New("what was answered cannot be redacted or read")
)

// Transcript gives what was asked and answered in the words of spans. Each side is redacted in the
// client's own language before it is read; an operation that is no dialogue has none. A side that
// cannot be is left out, and the error names it.
func (c *Captured) Transcript(reads func(language string) providers.Dialect, redacted func(body []byte) ([]byte, error)) (m storage.Messages, err error) {
	if c.call.Op != providers.OpChat {
		return m, nil
	}
	if len(c.Request) > 0 && !safely(func() (err error) { m.System, m.Input, err = c.asked(redacted); return err }) {
		err = errAskedWords
	}
	if len(c.Response) > 0 && !safely(func() (err error) { m.Output, err = c.answered(reads, redacted); return err }) {
		err = cmp.Or(err, errAnsweredWords)
	}
	return m, err
}

// safely reports whether a reader got through: what is redacted may be what none was made for.
func safely(read func() error) (through bool) {
	defer func() {
		if cause := recover(); cause != nil {
			through = false
		}
	}()
	return read() == nil
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

func (c *Captured) answered(reads func(string) providers.Dialect, redacted func([]byte) ([]byte, error)) ([]byte, error) {
	whole, err := c.Assemble(reads)
	if err != nil {
		return nil, err
	}
	if whole, err = redacted(whole); err != nil {
		return nil, err
	}
	return transcript.Answered(reads(c.face.Language()).ReadReply(&c.call), whole), nil
}
