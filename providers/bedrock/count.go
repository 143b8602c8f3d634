package bedrock

import (
	"errors"

	"github.com/aistrale/aistrale/providers"
)

// countRequest says a Converse request as one to CountTokens, without what bounds or shapes the
// answer, of which there is none.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
func countRequest(body []byte) ([]byte, error) {
	var doc providers.Document
	if err := doc.Scan(body, nil); err != nil {
		return nil, err
	}
	var edits []providers.Edit
	for _, name := range []string{"inferenceConfig", "outputConfig", "serviceTier", "requestMetadata", "performanceConfig"} {
		if doc.Field(name) != nil {
			edits = append(edits, providers.Edit{Name: name})
		}
	}
	out := append([]byte(`{"input":{"converse":`), doc.Splice(nil, edits...)...)
	return append(out, `}}`...), nil
}

// countDecoder reads a reply of CountTokens: one usage event, and the end.
type countDecoder struct{ done bool }

// Decode implements providers.Decoder.
func (d *countDecoder) Decode(events []providers.Event, frame []byte) []providers.Event {
	if d.done {
		return events
	}
	d.done = true
	events, ok := providers.AppendCount(events, frame, "inputTokens", "")
	if !ok {
		events = append(events, providers.Event{Kind: providers.EventFault, Fault: unread(errors.New("a count without inputTokens"))})
	}
	return events
}

// Close implements providers.Decoder.
func (d *countDecoder) Close(events []providers.Event) []providers.Event {
	if d.done {
		return events
	}
	d.done = true
	return append(events, providers.Event{Kind: providers.EventFault, Fault: unread(errors.New("the body is empty"))})
}
