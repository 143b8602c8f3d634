package catalog_test

import (
	"maps"
	"slices"

	"github.com/aistrale/aistrale/providers"
)

// readAnthropic reads Messages, whole or as events.
// Source: https://docs.anthropic.com/en/api/messages and /messages-streaming
func readAnthropic(events []string) (*told, bool) {
	w := newTold()
	if o := parse(events[0]); len(events) == 1 && str(o["type"]) == "message" {
		w.ended = true
		return w.anthropic(o, list(o["content"])), true
	}
	var message object
	blocks := map[int]object{}
	for _, data := range events {
		o := parse(data)
		switch i := int(count(o["index"])); str(o["type"]) {
		case "message_start":
			if message != nil {
				return nil, false // two replies in one recording
			}
			message = sub(o["message"])
			if sub(message["usage"]) == nil {
				message["usage"] = object{}
			}
		case "content_block_start":
			blocks[i] = sub(o["content_block"])
		case "content_block_delta":
			if blocks[i] == nil {
				return nil, false
			}
			anthropicDelta(blocks[i], sub(o["delta"]))
		case "message_delta":
			if message == nil {
				return nil, false
			}
			anthropicMerge(message, sub(o["delta"]))
			anthropicMerge(sub(message["usage"]), sub(o["usage"]))
		case "message_stop":
			w.ended = true
		case "error":
			w.fault = &providers.Fault{}
		}
	}
	if message == nil {
		return nil, false
	}
	var content []any
	for _, i := range slices.Sorted(maps.Keys(blocks)) {
		content = append(content, blocks[i])
	}
	return w.anthropic(message, content), true
}

func anthropicMerge(into, from object) {
	for k, v := range from {
		if v != nil {
			into[k] = v
		}
	}
}

func anthropicDelta(block, delta object) {
	for _, key := range []string{"text", "thinking", "signature"} {
		if s, ok := delta[key].(string); ok {
			block[key] = str(block[key]) + s
		}
	}
	if s, ok := delta["partial_json"].(string); ok {
		block["partial"] = str(block["partial"]) + s
	}
	if delta["citation"] != nil {
		block["citations"] = append(list(block["citations"]), delta["citation"])
	}
}

// anthropic reads a message with its blocks.
func (w *told) anthropic(message object, content []any) *told {
	c := w.choice(0)
	for _, v := range content {
		b := sub(v)
		switch str(b["type"]) {
		case "text":
			c.text += str(b["text"])
			for _, citation := range list(b["citations"]) {
				if url := str(sub(citation)["url"]); url != "" {
					c.urls = append(c.urls, url)
				}
			}
		case "thinking":
			c.reasoning += str(b["thinking"])
			if s := str(b["signature"]); s != "" {
				c.seals = append(c.seals, s)
			}
		case "redacted_thinking":
			c.seals = append(c.seals, str(b["data"]))
		case "tool_use":
			call := toldCall{id: str(b["id"]), name: str(b["name"]), args: str(b["partial"])}
			if call.args == "" {
				call.args = text(first(b, "input"))
			}
			if call.args == "null" {
				call.args = "{}"
			}
			c.calls = append(c.calls, call)
		}
	}
	c.native = str(message["stop_reason"])
	if c.finish = anthropicFinish(c.native); len(c.calls) > 0 && c.native == "end_turn" {
		c.finish = append(c.finish, providers.FinishToolCalls) // the blocks say it
	}
	w.anthropicUsage(sub(message["usage"]))
	return w
}

func anthropicFinish(stop string) []providers.Finish {
	switch stop {
	case "end_turn", "stop_sequence", "pause_turn":
		return []providers.Finish{providers.FinishStop}
	case "max_tokens", "model_context_window_exceeded":
		return []providers.Finish{providers.FinishLength}
	case "tool_use":
		return []providers.Finish{providers.FinishToolCalls}
	case "refusal":
		return []providers.Finish{providers.FinishContentFilter}
	}
	return nil
}

func (w *told) anthropicUsage(u object) {
	if u["input_tokens"] == nil || u["output_tokens"] == nil {
		return
	}
	read, write := count(u["cache_read_input_tokens"]), count(u["cache_creation_input_tokens"])
	w.usage = &toldUsage{
		input: count(u["input_tokens"]) + read + write, output: count(u["output_tokens"]), cached: read,
		reasoning: count(sub(u["output_tokens_details"])["thinking_tokens"]),
	}
}
