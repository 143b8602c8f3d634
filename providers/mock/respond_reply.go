package mock

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// A respondReply writes an answer as a response: each block is an item.
type respondReply struct {
	ask *ask
	ans *answer
}

func writeRespond(dst []byte, a *ask, ans *answer) []byte {
	r := respondReply{a, ans}
	return r.appendResponse(dst, r.status())
}

func (r *respondReply) id() string { return string(appendID([]byte("resp_"), r.ask.id, 40)) }

// status is how the response ends.
func (r *respondReply) status() string {
	if r.ans.finish == finishLength || r.ans.finish == finishFilter {
		return "incomplete"
	}
	return "completed"
}

// itemStatus is how an item ends: what the end has cut off is incomplete.
func (r *respondReply) itemStatus(i int) string {
	if i == len(r.ans.blocks)-1 {
		return r.status()
	}
	return "completed"
}

// appendResponse appends the response as it stands. While it is in progress it has neither
// output nor usage.
func (r *respondReply) appendResponse(dst []byte, status string) []byte {
	dst = providers.AppendString(append(dst, `{"id":`...), r.id())
	dst = append(dst, `,"object":"response","created_at":`+created+`,"status":"`...)
	dst = append(append(dst, status...), `","background":false,"completed_at":`...)
	if status == "completed" {
		dst = append(dst, created...)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"error":null,"incomplete_details":`...)
	switch {
	case status != "incomplete":
		dst = append(dst, "null"...)
	case r.ans.finish == finishFilter:
		dst = append(dst, `{"reason":"content_filter"}`...)
	default:
		dst = append(dst, `{"reason":"max_output_tokens"}`...)
	}
	dst = providers.AppendString(append(dst, `,"model":`...), r.ask.model)
	dst = append(dst, `,"output":[`...)
	if status != "in_progress" {
		dst = r.appendOutput(dst)
	}
	dst = r.appendAsked(append(dst, ']'))
	dst = append(dst, `,"usage":`...)
	if status == "in_progress" {
		return append(dst, "null}"...)
	}
	return append(appendRespondUsage(dst, r.ans.usage), '}')
}

// respondAsked are the members that say back what was asked for, and what stands for nothing.
var respondAsked = [...]struct{ name, otherwise string }{
	{"instructions", "null"}, {"max_output_tokens", "null"}, {"max_tool_calls", "null"}, {"metadata", "{}"},
	{"parallel_tool_calls", "true"}, {"previous_response_id", "null"}, {"prompt_cache_key", "null"},
	{"reasoning", `{"effort":null,"summary":null}`}, {"safety_identifier", "null"}, {"store", "true"},
	{"temperature", "1.0"}, {"text", `{"format":{"type":"text"},"verbosity":"medium"}`}, {"tool_choice", `"auto"`},
	{"tools", "[]"}, {"top_logprobs", "0"}, {"top_p", "1.0"}, {"truncation", `"disabled"`}, {"user", "null"},
}

func (r *respondReply) appendAsked(dst []byte) []byte {
	for _, m := range respondAsked {
		dst = append(append(append(dst, `,"`...), m.name...), `":`...)
		if v := r.ask.asked.Get(m.name); v.Exists() && v.Type != gjson.Null {
			dst = append(dst, v.Raw...)
		} else {
			dst = append(dst, m.otherwise...)
		}
	}
	return append(dst, `,"service_tier":"default"`...)
}

func (r *respondReply) appendOutput(dst []byte) []byte {
	for i := range r.ans.blocks {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.appendItem(dst, i, r.itemStatus(i))
	}
	return dst
}

func (r *respondReply) itemID(i int) string {
	prefix := map[kind]string{kindText: "msg_", kindRefusal: "msg_", kindThinking: "rs_", kindCall: "fc_"}[r.ans.blocks[i].kind]
	return r.ask.callID(prefix, i<<8, 40)
}

// appendItem appends an item as it stands: empty while it is in progress.
func (r *respondReply) appendItem(dst []byte, i int, status string) []byte {
	b := &r.ans.blocks[i]
	over := status != "in_progress"
	dst = providers.AppendString(append(dst, `{"id":`...), r.itemID(i))
	switch b.kind {
	case kindThinking:
		dst = append(dst, `,"type":"reasoning","summary":[`...)
		if over && !r.ask.hideThoughts {
			dst = append(providers.AppendString(append(dst, `{"type":"summary_text","text":`...), b.text()), '}')
		}
		dst = append(dst, ']')
		if r.ask.sealsThoughts {
			dst = providers.AppendString(append(dst, `,"encrypted_content":`...), token("openai reasoning", r.itemID(i)))
		}
		return append(dst, '}')
	case kindCall:
		text := ""
		if over {
			text = b.text()
		}
		dst = append(append(dst, `,"type":"function_call","status":"`...), status...)
		dst = append(append(dst, `","call_id":"`...), r.ask.callID("call_", b.call, 24)...)
		dst = providers.AppendString(append(dst, `","name":`...), b.name)
		return append(providers.AppendString(append(dst, `,"arguments":`...), text), '}')
	case kindText, kindRefusal:
		dst = append(append(dst, `,"type":"message","status":"`...), status...)
		dst = append(dst, `","role":"assistant","content":[`...)
		if over {
			dst = appendRespondPart(dst, b, b.text())
		}
		return append(dst, "]}"...)
	}
	return append(dst, '}')
}

// appendRespondPart appends the only part of a message.
func appendRespondPart(dst []byte, b *block, text string) []byte {
	if b.kind == kindRefusal {
		return append(providers.AppendString(append(dst, `{"type":"refusal","refusal":`...), text), '}')
	}
	return append(providers.AppendString(append(dst, `{"type":"output_text","annotations":[],"logprobs":[],"text":`...), text), '}')
}

func appendRespondUsage(dst []byte, u usage) []byte {
	dst = number(dst, `{"input_tokens":`, u.input)
	dst = number(dst, `,"input_tokens_details":{"cached_tokens":`, u.cached)
	dst = number(dst, `},"output_tokens":`, u.output)
	dst = number(dst, `,"output_tokens_details":{"reasoning_tokens":`, u.reasoning)
	return append(number(dst, `},"total_tokens":`, u.input+u.output), '}')
}
