package providertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// MessageStream follows a stream of the Messages API and says what is wrong with its form. The
// rules are those that recorded streams of Anthropic's keep: events carry their name as their
// type; one message_start, of a message without content; blocks one after another, each under
// the next index, each with deltas of its own kind only; one message_delta behind them, with the
// reason and the usage; message_stop last. Pings may stand anywhere. An error ends a stream
// wherever it comes. It gives the message as a client puts it together, and the error, if any.
func MessageStream(stream []byte) (message, fault map[string]any, wrong []string) {
	s := messageStream{open: -1}
	for event := range strings.SplitSeq(string(bytes.TrimSpace(stream)), "\n\n") {
		s.read(event)
	}
	switch {
	case s.fault != nil:
	case s.message == nil:
		s.say("it has no message")
	case !s.ended:
		s.say("it has no message_stop")
	}
	if s.message != nil {
		s.message["content"] = s.blocks
	}
	return s.message, s.fault, s.wrong
}

type messageStream struct {
	wrong   []string
	message map[string]any
	fault   map[string]any
	blocks  []any
	open    int // the block under way, -1 none
	partial string
	told    bool // message_delta came
	ended   bool
}

func (s *messageStream) say(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

func (s *messageStream) read(event string) {
	if strings.HasPrefix(event, ":") {
		return
	}
	name, ev, ok := namedEvent(event)
	if !ok {
		s.say("no event: %.200q", event)
		return
	}
	switch {
	case ev["type"] != name:
		s.say("event %s has the type %v", name, ev["type"])
	case s.ended || s.fault != nil:
		s.say("%s behind the last event", name)
	case s.message == nil && name != "message_start" && name != "error" && name != "ping":
		s.say("it begins with %s", name)
		s.message = map[string]any{}
	}
	s.event(name, ev)
}

func (s *messageStream) event(name string, ev map[string]any) {
	at, _ := ev["index"].(float64)
	switch name {
	case "ping":
	case "message_start":
		s.start(ev)
	case "content_block_start":
		if s.open >= 0 || s.told || int(at) != len(s.blocks) {
			s.say("block %v starts behind %d, with %d open", at, len(s.blocks), s.open)
		}
		block, _ := ev["content_block"].(map[string]any)
		s.open, s.partial = len(s.blocks), ""
		s.blocks = append(s.blocks, block)
	case "content_block_delta", "content_block_stop":
		if s.open < 0 || int(at) != s.open {
			s.say("%s of block %v, with %d open", name, at, s.open)
			return
		}
		block, _ := s.blocks[s.open].(map[string]any)
		if name == "content_block_stop" {
			s.stop(block)
			return
		}
		delta, _ := ev["delta"].(map[string]any)
		s.delta(block, delta)
	case "message_delta":
		s.finish(ev)
	case "message_stop":
		if !s.told || s.message["stop_reason"] == nil {
			s.say("it stops without a reason")
		}
		s.ended = true
	case "error":
		s.fault, _ = ev["error"].(map[string]any)
		if s.fault["type"] == nil || s.fault["message"] == nil {
			s.say("error %v", ev)
		}
	default:
		s.say("an event %s", name)
	}
}

func (s *messageStream) start(ev map[string]any) {
	if s.message != nil {
		s.say("it starts twice")
	}
	s.message, _ = ev["message"].(map[string]any)
	content, _ := s.message["content"].([]any)
	if s.message["type"] != "message" || s.message["role"] != "assistant" || content == nil || len(content) > 0 ||
		s.message["id"] == nil || s.message["model"] == nil || s.message["usage"] == nil {
		s.say("it starts with %v", s.message)
	}
}

// deltas are the kinds that each kind of block may have.
var deltas = map[string]string{
	"text_delta": "text", "citations_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking",
	"input_json_delta": "tool_use server_tool_use mcp_tool_use", "compaction_delta": "compaction",
}

func (s *messageStream) delta(block, delta map[string]any) {
	kind, _ := delta["type"].(string)
	of, _ := block["type"].(string)
	if of == "" || !strings.Contains(deltas[kind], of) {
		s.say("a %s in a block of %s", kind, of)
	}
	for _, name := range []string{"text", "thinking", "signature"} {
		if piece, ok := delta[name].(string); ok {
			before, _ := block[name].(string)
			block[name] = before + piece
		}
	}
	if citation := delta["citation"]; citation != nil {
		list, _ := block["citations"].([]any)
		block["citations"] = append(list, citation)
	}
	piece, _ := delta["partial_json"].(string)
	s.partial += piece
}

// stop ends a block. Arguments may be cut off where the answer reached its bound.
func (s *messageStream) stop(block map[string]any) {
	s.open = -1
	if s.partial == "" {
		return
	}
	var input map[string]any
	if json.Unmarshal([]byte(s.partial), &input) == nil {
		block["input"] = input
	} else {
		block["input"] = s.partial
	}
}

func (s *messageStream) finish(ev map[string]any) {
	if s.open >= 0 || s.told {
		s.say("message_delta inside of a block, or twice")
	}
	s.told = true
	delta, _ := ev["delta"].(map[string]any)
	for name, value := range delta {
		s.message[name] = value
	}
	usage, _ := ev["usage"].(map[string]any)
	if usage["output_tokens"] == nil {
		s.say("message_delta without its usage")
	}
	total, _ := s.message["usage"].(map[string]any)
	for name, value := range usage {
		if total != nil {
			total[name] = value
		}
	}
}
