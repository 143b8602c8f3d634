package anthropic

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Observe implements providers.Dialect.
func (Dialect) Observe(frame []byte) providers.Seen {
	kind := find(frame, "type")
	switch string(kind) {
	case `"content_block_delta"`:
		return providers.Seen{Content: pieceLen(find(frame, "delta"))}
	case `"content_block_start"`:
		return providers.Seen{Content: blockLen(find(frame, "content_block"))}
	case `"message_start"`:
		var seen providers.Seen
		message := find(frame, "message")
		seeUsage(&seen, find(message, "usage"))
		seen.Model = providers.Text(find(message, "model"))
		return seen
	case `"message_delta"`:
		var seen providers.Seen
		seeUsage(&seen, find(frame, "usage"))
		seen.Finish = stopReason(find(find(frame, "delta"), "stop_reason"))
		return seen
	case `"message_stop"`:
		return providers.Seen{End: true}
	case `"message"`:
		return observeWhole(frame)
	case `"error"`:
		var root gjson.Result
		if providers.ValidJSON(frame) {
			root = gjson.ParseBytes(frame)
		}
		return providers.Seen{Fault: faultOf(0, root)}
	}
	return providers.Seen{}
}

func observeWhole(frame []byte) providers.Seen {
	var seen providers.Seen
	providers.Members(frame, func(name, value []byte) bool {
		switch string(name) {
		case "content":
			providers.Elements(value, func(block []byte) bool {
				seen.Content += blockLen(block)
				return true
			})
		case "usage":
			seeUsage(&seen, value)
		case "stop_reason":
			seen.Finish = stopReason(value)
		}
		return true
	})
	return seen
}

func seeUsage(seen *providers.Seen, raw []byte) {
	if len(raw) == 0 || raw[0] != '{' || !providers.ValidJSON(raw) {
		return
	}
	seen.Usage, seen.HasUsage = readUsage(raw), true
}

// pieceLen counts a delta's visible bytes, as they are written in JSON.
func pieceLen(delta []byte) int {
	switch string(find(delta, "type")) {
	case `"text_delta"`:
		return stringLen(find(delta, "text"))
	case `"thinking_delta"`:
		return stringLen(find(delta, "thinking"))
	case `"input_json_delta"`:
		return stringLen(find(delta, "partial_json"))
	}
	return 0
}

// blockLen counts the visible bytes that a block has from its start, or has in a whole message.
func blockLen(block []byte) int {
	switch string(find(block, "type")) {
	case `"text"`:
		return stringLen(find(block, "text"))
	case `"thinking"`:
		return stringLen(find(block, "thinking"))
	case `"tool_use"`:
		if input := find(block, "input"); len(bytes.TrimSpace(input)) > len("{}") {
			return len(input)
		}
	}
	return 0
}

func stringLen(raw []byte) int { return max(0, len(raw)-2) }

// find gives the raw value of an object's member without reading any other value, nil where it
// is absent. The bytes need not be valid JSON.
func find(object []byte, name string) (found []byte) {
	providers.Members(object, func(said, value []byte) bool {
		if string(said) != name {
			return true
		}
		found = value
		return false
	})
	return found
}
