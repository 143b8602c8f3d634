package anthropic

import "github.com/aistrale/aistrale/providers"

// What a reply says is read in one pass over each object, for every event. The values of the types
// below are JSON, nil where there is none.

// frame is what counts of a stream's event, and of a whole message.
type frame struct {
	kind, index, message, block, delta, usage []byte
	id, model, content, reason, details       []byte
}

func readFrame(raw []byte) (f frame) {
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "type":
			f.kind = value
		case "index":
			f.index = value
		case "message":
			f.message = value
		case "content_block":
			f.block = value
		case "delta":
			f.delta = value
		case "usage":
			f.usage = value
		case "id":
			f.id = value
		case "model":
			f.model = value
		case "content":
			f.content = value
		case "stop_reason":
			f.reason = value
		case "stop_details":
			f.details = value
		}
		return true
	})
	return f
}

// part is what counts of a content block, and of a piece of one.
type part struct {
	kind, text, thinking, json, signature, data []byte
	id, name, input, citations, citation        []byte
}

func readPart(raw []byte) (p part) {
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "type":
			p.kind = value
		case "text":
			p.text = value
		case "thinking":
			p.thinking = value
		case "partial_json":
			p.json = value
		case "signature":
			p.signature = value
		case "data":
			p.data = value
		case "id":
			p.id = value
		case "name":
			p.name = value
		case "input":
			p.input = value
		case "citations":
			p.citations = value
		case "citation":
			p.citation = value
		}
		return true
	})
	return p
}

// stopReason reads why a message ended, "" where that is not said.
func stopReason(value []byte) string {
	return providers.Text(value, "end_turn", "tool_use", "max_tokens", "stop_sequence")
}
