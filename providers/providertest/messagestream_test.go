package providertest

import (
	"strings"
	"testing"
)

// said is a stream of events, each by its name and the rest of its members.
func said(events ...string) []byte {
	var b strings.Builder
	for _, e := range events {
		name, rest, _ := strings.Cut(e, " ")
		if rest != "" {
			rest = "," + rest
		}
		b.WriteString("event: " + name + "\ndata: {\"type\":\"" + name + "\"" + rest + "}\n\n")
	}
	return []byte(b.String())
}

func TestMessageStream(t *testing.T) {
	const (
		start = `message_start "message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"stop_reason":null,"usage":{"input_tokens":1}}`
		text  = `content_block_start "index":0,"content_block":{"type":"text","text":""}`
		piece = `content_block_delta "index":0,"delta":{"type":"text_delta","text":"hi"}`
		shut  = `content_block_stop "index":0`
		tool  = `content_block_start "index":1,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}`
		args  = `content_block_delta "index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}`
		shut1 = `content_block_stop "index":1`
		delta = `message_delta "delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}`
		stop  = "message_stop"
		fault = `error "error":{"type":"overloaded_error","message":"m"}`
	)
	message, broken, wrong := MessageStream(said("ping", start, text, "ping", piece, shut, tool, args, shut1, delta, stop))
	if len(wrong) > 0 || broken != nil || message["stop_reason"] != "tool_use" || len(message["content"].([]any)) != 2 {
		t.Errorf("%v, %v, %q", message, broken, wrong)
	}
	if _, broken, wrong := MessageStream(said(start, text, piece, fault)); len(wrong) > 0 || broken["type"] != "overloaded_error" {
		t.Errorf("%v, %q", broken, wrong)
	}
	for name, events := range map[string][]string{
		"nothing":           nil,
		"no start":          {text, piece, shut, delta, stop},
		"two starts":        {start, start, delta, stop},
		"no end":            {start, text, piece, shut, delta},
		"no reason":         {start, text, piece, shut, stop},
		"a block left open": {start, text, piece, delta, stop},
		"a block twice":     {start, text, shut, text, shut, delta, stop},
		"an index too far":  {start, tool, args, shut1, delta, stop},
		"a delta of none":   {start, piece, delta, stop},
		"a foreign delta":   {start, text, `content_block_delta "index":0,"delta":{"type":"thinking_delta","thinking":"x"}`, shut, delta, stop},
		"two deltas":        {start, delta, delta, stop},
		"something behind":  {start, delta, stop, "ping"},
		"an unknown event":  {start, "message_pause", delta, stop},
		"an empty error":    {start, "error"},
		"no usage":          {start, `message_delta "delta":{"stop_reason":"end_turn"}`, stop},
	} {
		if _, _, wrong := MessageStream(said(events...)); len(wrong) == 0 {
			t.Errorf("%s: not seen", name)
		}
	}
	if _, _, wrong := MessageStream([]byte("data: {}\n\n")); len(wrong) == 0 {
		t.Error("an event without its name was not seen")
	}
}
