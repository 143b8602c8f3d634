package responses

import (
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// A count of tokens goes by the hub as a request whose reply is one usage event and the end.

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
	body := plan.Requests[0].Body
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
func (counting) Writer(providers.Call) providers.Writer { return &countWriter{} }

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
	total := gjson.GetBytes(frame, "input_tokens")
	if !providers.ValidJSON(frame) || total.Type != gjson.Number {
		return append(events, providers.Event{Kind: providers.EventFault, Fault: &providers.Fault{
			Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply cannot be read: it is a count without input_tokens",
		}})
	}
	var line providers.UsageLine
	line.Set(providers.InputTotal, total.Int())
	return append(events,
		providers.Event{Kind: providers.EventUsage, Usage: &providers.Usage{Lines: []providers.UsageLine{line}}},
		providers.Event{Kind: providers.EventEnd})
}

// countWriter says a count to a client.
type countWriter struct{ usage providers.Usage }

// Write implements providers.Writer.
func (w *countWriter) Write(dst []byte, ev *providers.Event) []byte {
	switch ev.Kind {
	case providers.EventUsage:
		if ev.Usage != nil {
			w.usage.Merge(*ev.Usage)
		}
	case providers.EventEnd:
		n := w.usage.Called()
		dst = append(dst, `{"object":"response.input_tokens","input_tokens":`...)
		return append(strconv.AppendInt(dst, n.Input(), 10), '}')
	default: // a count has no text
	}
	return dst
}

// Passed implements providers.Writer; a count is no stream.
func (*countWriter) Passed([]byte) {}
