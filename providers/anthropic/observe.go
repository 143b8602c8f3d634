package anthropic

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Observe implements providers.Dialect.
func (Dialect) Observe(frame []byte) providers.Seen {
	kind := providers.Member(frame, "type")
	switch string(kind) {
	case `"content_block_delta"`:
		return providers.Seen{Content: pieceLen(providers.Member(frame, "delta"))}
	case `"content_block_start"`:
		return providers.Seen{Content: blockLen(providers.Member(frame, "content_block"))}
	case `"message_start"`:
		var seen providers.Seen
		message := providers.Member(frame, "message")
		seeUsage(&seen, providers.Member(message, "usage"))
		seen.Model = providers.Member(message, "model")
		return seen
	case `"message_delta"`:
		var seen providers.Seen
		seeUsage(&seen, providers.Member(frame, "usage"))
		seen.Finish = stopReason(providers.Member(providers.Member(frame, "delta"), "stop_reason"))
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
		case "model":
			seen.Model = value
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
	switch string(providers.Member(delta, "type")) {
	case `"text_delta"`:
		return stringLen(providers.Member(delta, "text"))
	case `"thinking_delta"`:
		return stringLen(providers.Member(delta, "thinking"))
	case `"input_json_delta"`:
		return stringLen(providers.Member(delta, "partial_json"))
	}
	return 0
}

// blockLen counts the visible bytes that a block has from its start, or has in a whole message.
func blockLen(block []byte) int {
	switch string(providers.Member(block, "type")) {
	case `"text"`:
		return stringLen(providers.Member(block, "text"))
	case `"thinking"`:
		return stringLen(providers.Member(block, "thinking"))
	case `"tool_use"`:
		if input := providers.Member(block, "input"); len(bytes.TrimSpace(input)) > len("{}") {
			return len(input)
		}
	}
	return 0
}

func stringLen(raw []byte) int { return max(0, len(raw)-2) }
