package responses

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// countedMembers are the members of a request that a count knows: what bounds or shapes the
// answer is none of them.
// Source: https://platform.openai.com/docs/api-reference/responses/input-tokens
var countedMembers = map[string]bool{
	"model": true, "input": true, "instructions": true, "previous_response_id": true, "conversation": true,
	"tools": true, "tool_choice": true, "parallel_tool_calls": true, "reasoning": true, "text": true, "truncation": true,
}

// counted takes the others out.
func counted(plan providers.Plan) (providers.Plan, error) {
	var doc providers.Document
	body := plan.Requests[0].Whole()
	if err := doc.Scan(body, nil); err != nil {
		return plan, err
	}
	var edits []providers.Edit
	for i := range doc.Fields {
		if name := doc.Fields[i].Name; !countedMembers[name] {
			edits = append(edits, providers.Edit{Name: name})
		}
	}
	plan.Requests[0].Body = doc.Splice(nil, edits...)
	plan.MaxOutput, plan.Clamped = 0, ""
	return plan, nil
}

// counting speaks with clients that want a count.
type counting struct{ Face }

// Writer implements providers.Face.
func (counting) Writer(*providers.Call) providers.Writer {
	return &providers.CountWriter{Say: sayCount}
}

// countWords are the parameters that do not change what a prompt counts: all that operators set.
func countWords() map[string]providers.Word {
	none := parameters()
	none["extra_body"] = providers.Word{}
	for name := range none {
		none[name] = providers.Word{}
	}
	return none
}

// countDecoder reads a count.
type countDecoder struct{ decoder }

// Decode implements providers.Decoder.
func (d *countDecoder) Decode(events []providers.Event, frame []byte) []providers.Event {
	d.over = true
	events, ok := providers.AppendCount(events, frame, "input_tokens", "")
	if !ok {
		events = append(events, providers.Event{Kind: providers.EventFault, Fault: &providers.Fault{
			Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply cannot be read: it is a count without input_tokens",
		}})
	}
	return events
}

// sayCount says a count to a client.
func sayCount(dst []byte, n providers.Normal) []byte {
	dst = append(dst, `{"object":"response.input_tokens","input_tokens":`...)
	return append(strconv.AppendInt(dst, n.Input(), 10), '}')
}
