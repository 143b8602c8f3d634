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
		seeUsage(&seen, find(find(frame, "message"), "usage"))
		return seen
	case `"message_delta"`:
		var seen providers.Seen
		seeUsage(&seen, find(frame, "usage"))
		seeFinish(&seen, find(find(frame, "delta"), "stop_reason"))
		return seen
	case `"message_stop"`:
		return providers.Seen{End: true}
	case `"message"`:
		return observeWhole(frame)
	case `"error"`:
		var root gjson.Result
		if valid(frame) {
			root = gjson.ParseBytes(frame)
		}
		return providers.Seen{Fault: faultOf(0, root)}
	}
	return providers.Seen{}
}

func observeWhole(frame []byte) providers.Seen {
	var seen providers.Seen
	if content := find(frame, "content"); valid(content) {
		gjson.ParseBytes(content).ForEach(func(_, block gjson.Result) bool {
			seen.Content += blockLen([]byte(block.Raw))
			return true
		})
	}
	seeUsage(&seen, find(frame, "usage"))
	seeFinish(&seen, find(frame, "stop_reason"))
	return seen
}

func seeUsage(seen *providers.Seen, raw []byte) {
	if len(raw) == 0 || raw[0] != '{' || !valid(raw) {
		return
	}
	seen.Usage, seen.HasUsage = readUsage(gjson.ParseBytes(raw)), true
}

func seeFinish(seen *providers.Seen, raw []byte) {
	if len(raw) > 2 && raw[0] == '"' {
		seen.Finish = string(raw[1 : len(raw)-1])
	}
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
func find(object []byte, name string) []byte {
	i := skip(object, 0)
	if i >= len(object) || object[i] != '{' {
		return nil
	}
	for i++; i < len(object); i++ {
		start := skip(object, i)
		if start >= len(object) || object[start] != '"' {
			return nil
		}
		end := past(object, start)
		colon := skip(object, end)
		if colon >= len(object) || object[colon] != ':' {
			return nil
		}
		from := skip(object, colon+1)
		to := past(object, from)
		if string(object[start+1:end-1]) == name {
			return object[from:to]
		}
		if i = skip(object, to); i >= len(object) || object[i] != ',' {
			return nil
		}
	}
	return nil
}

// skip gives the place of the first byte at or behind i that is not white space.
func skip(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// past gives the place behind the value that begins at i.
func past(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch c := b[i]; c {
		case '"':
			i = pastString(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				if depth < 0 { // the end of the object around a number or a word
					return i
				}
				return i + 1
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(b)
}

func pastString(b []byte, i int) int {
	for i++; i < len(b); {
		next := bytes.IndexByte(b[i:], '"')
		if next < 0 {
			return len(b)
		}
		quote := i + next
		slashes := 0
		for quote-1-slashes >= i && b[quote-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return quote + 1
		}
		i = quote + 1
	}
	return len(b)
}
