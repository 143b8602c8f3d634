package anthropic

import (
	"errors"
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// counted takes out of a request what count_tokens does not know: what bounds or shapes the answer,
// of which there is none.
// Source: https://docs.claude.com/en/api/messages-count-tokens
func counted(body []byte) ([]byte, error) {
	var doc providers.Document
	if err := doc.Scan(body, nil); err != nil {
		return nil, err
	}
	var edits []providers.Edit
	for _, name := range []string{
		"max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata", "service_tier", "container", "inference_geo",
	} {
		if doc.Field(name) != nil {
			edits = append(edits, providers.Edit{Name: name})
		}
	}
	return doc.Splice(nil, edits...), nil
}

// counting speaks with clients that want a count: nothing bounds an answer that is never made.
type counting struct{ Face }

// ReadRequest implements providers.Face for POST /v1/messages/count_tokens.
func (counting) ReadRequest(doc *providers.Document) (*providers.Request, error) {
	r := &reader{doc: doc, req: &providers.Request{}, names: map[string]string{}, limited: true}
	return r.read()
}

// Writer implements providers.Face.
func (counting) Writer(*providers.Call) providers.Writer {
	return &providers.CountWriter{Say: sayCount}
}

// countDecoder reads a reply of count_tokens.
type countDecoder struct{ done bool }

// Decode implements providers.Decoder.
func (d *countDecoder) Decode(events []providers.Event, frame []byte) []providers.Event {
	d.done = true
	events, ok := providers.AppendCount(events, frame, "input_tokens", "")
	if !ok {
		events = append(events, uncounted(errors.New("a count without input_tokens")))
	}
	return events
}

// Close implements providers.Decoder.
func (d *countDecoder) Close(events []providers.Event) []providers.Event {
	if d.done {
		return events
	}
	return append(events, uncounted(errors.New("the body is empty")))
}

func uncounted(err error) providers.Event {
	return (&decoder{}).fail(nil, err)[0]
}

// sayCount says a count to a client.
func sayCount(dst []byte, n providers.Normal) []byte {
	dst = strconv.AppendInt(append(dst, `{"input_tokens":`...), n.Input(), 10)
	return append(dst, '}')
}
