package anthropic_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

// TestLoop: what the model said, with its thinking, comes back to it in the next turn byte for
// byte and in its order, however the reply came and though the client speaks Chat Completions.
// https://docs.claude.com/en/docs/build-with-claude/extended-thinking (preserving blocks)
func TestLoop(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 5))
	for range 300 {
		blocks := someBlocks(rng)
		for _, stream := range []bool{false, true} {
			message, calls := answered(t, blocks, stream)
			want := "[" + string(bytes.Join(blocks, []byte(","))) + "]"
			if got := sentBack(t, message, calls); got != want {
				t.Fatalf("stream %v: sent back\n%s\nwant\n%s\nby the message\n%s", stream, got, want, message)
			}
		}
	}
}

// someBlocks makes a reply's content, in the form and order of members that requests have.
func someBlocks(rng *rand.Rand) [][]byte {
	var out [][]byte
	for i := range 1 + rng.IntN(7) {
		switch rng.IntN(5) {
		case 0:
			out = append(out, fmt.Appendf(nil, `{"type":"thinking","thinking":"Hm %d\n\n ü","signature":"sig%d=="}`, i, i))
		case 1:
			out = append(out, fmt.Appendf(nil, `{"type":"redacted_thinking","data":"red%d"}`, i))
		case 2, 3:
			out = append(out, fmt.Appendf(nil, `{"type":"text","text":"Text %d 🙂 \"é\"\n"}`, i))
		default:
			out = append(out, fmt.Appendf(nil, `{"type":"tool_use","id":"toolu_%d","name":"f","input":{"b":%d,"a":[1,2.50]}}`, i, i))
		}
	}
	return out
}

// answered gives the assistant's message as a client reads it, and the ids of its calls.
func answered(t *testing.T, blocks [][]byte, stream bool) (message []byte, calls []string) {
	t.Helper()
	for _, b := range blocks {
		if id := gjson.GetBytes(b, "id"); id.Exists() {
			calls = append(calls, id.String())
		}
	}
	call := providers.Call{ID: "req", Asked: "anthropic/m", Stream: stream}
	body := []byte(`{"type":"message","id":"msg","content":[` + string(bytes.Join(blocks, []byte(","))) + `],"stop_reason":"end_turn"}`)
	if stream {
		body = asStream(blocks)
	}
	out, err := providertest.Relay(openai.Face{}, anthropic.Dialect{}, &call, body)
	if err != nil {
		t.Fatal(err)
	}
	if stream {
		return assembled(t, out), calls
	}
	return []byte(gjson.GetBytes(out, "choices.0.message").Raw), calls
}

func asStream(blocks [][]byte) []byte {
	var out []byte
	event := func(format string, args ...any) { out = fmt.Appendf(out, "data: "+format+"\n\n", args...) }
	event(`{"type":"message_start","message":{"id":"msg"}}`)
	for i, b := range blocks {
		said := gjson.ParseBytes(b)
		switch said.Get("type").String() {
		case "redacted_thinking":
			event(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, b)
		case "text":
			event(`{"type":"content_block_start","index":%d,"content_block":{"type":"text","text":""}}`, i)
			event(`{"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":%s}}`, i, said.Get("text").Raw)
		case "thinking":
			event(`{"type":"content_block_start","index":%d,"content_block":{"type":"thinking","thinking":"","signature":""}}`, i)
			event(`{"type":"content_block_delta","index":%d,"delta":{"type":"thinking_delta","thinking":%s}}`, i, said.Get("thinking").Raw)
			event(`{"type":"content_block_delta","index":%d,"delta":{"type":"signature_delta","signature":%s}}`, i, said.Get("signature").Raw)
		case "tool_use":
			event(`{"type":"content_block_start","index":%d,"content_block":{"type":"tool_use","id":%s,"name":"f","input":{}}}`, i, said.Get("id").Raw)
			input := said.Get("input").Raw
			for _, piece := range []string{"", input[:5], input[5:]} {
				event(`{"type":"content_block_delta","index":%d,"delta":{"type":"input_json_delta","partial_json":%s}}`, i, providers.AppendString(nil, piece))
			}
		}
		event(`{"type":"content_block_stop","index":%d}`, i)
	}
	event(`{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`)
	event(`{"type":"message_stop"}`)
	return out
}

// assembled puts a stream together as OpenAI's own SDKs do: texts and arguments are joined, any
// field they do not know is taken as it last came.
func assembled(t *testing.T, stream []byte) []byte {
	t.Helper()
	content, others := "", ""
	var heads, arguments []string
	if err := providertest.Frames(true, bytes.NewReader(stream), func(_, data []byte) {
		delta := gjson.GetBytes(data, "choices.0.delta")
		content += delta.Get("content").String()
		for _, c := range delta.Get("tool_calls").Array() {
			if c.Get("id").Exists() {
				heads = append(heads, c.Get("id").Raw)
				arguments = append(arguments, "")
			}
			arguments[c.Get("index").Int()] += c.Get("function.arguments").String()
		}
		for _, name := range []string{"thinking_blocks", "extra_content"} {
			if v := delta.Get(name); v.Exists() {
				others += `,"` + name + `":` + v.Raw
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	out := fmt.Appendf(nil, `{"role":"assistant","content":%s`, providers.AppendString(nil, content))
	for i, id := range heads {
		sep := ","
		if i == 0 {
			sep = `,"tool_calls":[`
		}
		out = fmt.Appendf(out, `%s{"id":%s,"type":"function","function":{"name":"f","arguments":%s}}`, sep, id, providers.AppendString(nil, arguments[i]))
	}
	if len(heads) > 0 {
		out = append(out, ']')
	}
	return append(append(out, others...), '}')
}

// sentBack gives the content of the assistant's message in the next turn's upstream request.
func sentBack(t *testing.T, message []byte, calls []string) string {
	t.Helper()
	body := `{"model":"anthropic/m","reasoning_effort":"low","messages":[{"role":"user","content":"Go"},` + string(message)
	for _, id := range calls {
		body += `,{"role":"tool","tool_call_id":"` + id + `","content":"done"}`
	}
	body += `,{"role":"user","content":"On"}]}`
	var doc providers.Document
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err, body)
	}
	req, err := openai.Face{}.ReadRequest(&doc)
	if err != nil {
		t.Fatal(err, body)
	}
	plan, err := anthropic.Dialect{}.WriteRequest(req, &providers.Call{Doc: &doc, Model: "m"})
	if err != nil {
		t.Fatal(err, body)
	}
	return gjson.GetBytes(plan.Requests[0].Body, "messages.1.content").Raw
}
