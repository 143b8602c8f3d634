package mock

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// created is when every reply was made: 2026-01-01, for equal input gives equal bytes.
const created = "1767225600"

// writeChat writes a chat completion.
func writeChat(dst []byte, a *ask, ans *answer) []byte {
	dst = appendID(append(dst, `{"id":"chatcmpl-`...), ans.id, 29)
	dst = append(dst, `","object":"chat.completion","created":`+created+`,"model":`...)
	dst = append(providers.AppendString(dst, a.model), `,"choices":[`...)
	for i := range a.n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"index":`...), int64(i), 10)
		dst = appendChatMessage(append(dst, `,"message":{"role":"assistant","content":`...), a, ans, i)
		dst = append(dst, `,"annotations":[]},"logprobs":null,"finish_reason":"`...)
		dst = append(append(dst, chatFinish(ans.finish)...), `"}`...)
	}
	dst = appendChatUsage(append(dst, `],"usage":`...), ans.usage)
	return append(dst, `,"service_tier":"default","system_fingerprint":"fp_mock"}`...)
}

// appendChatMessage appends a message from the value of its content on.
func appendChatMessage(dst []byte, a *ask, ans *answer, choice int) []byte {
	content, refusal := "", ""
	var calls []byte
	said := false
	for i := range ans.blocks {
		b := &ans.blocks[i]
		switch b.kind {
		case kindText:
			content, said = content+b.text(), true
		case kindRefusal:
			refusal = b.text()
		case kindCall:
			if calls != nil {
				calls = append(calls, ',')
			}
			calls = appendChatCall(calls, a, b, choice)
			calls = append(providers.AppendString(append(calls, `,"arguments":`...), b.text()), "}}"...)
		case kindThinking: // OpenAI shows none of it in this API
		}
	}
	if said || calls == nil && refusal == "" {
		dst = providers.AppendString(dst, content)
	} else {
		dst = append(dst, "null"...)
	}
	if calls != nil {
		dst = append(append(append(dst, `,"tool_calls":[`...), calls...), ']')
	}
	return appendOrNull(append(dst, `,"refusal":`...), refusal)
}

// appendChatCall appends a call up to its name.
func appendChatCall(dst []byte, a *ask, b *block, choice int) []byte {
	dst = append(append(dst, `{"id":"`...), a.callID("call_", b.call+choice<<16, 24)...)
	return providers.AppendString(append(dst, `","type":"function","function":{"name":`...), b.name)
}

func chatFinish(finish string) string {
	if finish == finishRefuse {
		return finishStop
	}
	return finish
}

func appendChatUsage(dst []byte, u usage) []byte {
	dst = number(dst, `{"prompt_tokens":`, u.input)
	dst = number(dst, `,"completion_tokens":`, u.output)
	dst = number(dst, `,"total_tokens":`, u.input+u.output)
	dst = number(dst, `,"prompt_tokens_details":{"cached_tokens":`, u.cached)
	dst = number(dst, `,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":`, u.reasoning)
	return append(dst, `,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`...)
}

// chatFilm writes chunks, which differ only in their delta.
type chatFilm struct {
	*film
	prefix []byte // of every chunk, up to its choices
	suffix string
	choice int
}

// filmChat renders a chat completion as chunks. One with usage comes only where it was asked
// for; the others then say null.
func filmChat(f *film, a *ask, ans *answer) {
	c := chatFilm{film: f, suffix: "}\n\n"}
	c.prefix = appendID(append(c.prefix, `data: {"id":"chatcmpl-`...), ans.id, 29)
	c.prefix = append(c.prefix, `","object":"chat.completion.chunk","created":`+created+`,"model":`...)
	c.prefix = append(providers.AppendString(c.prefix, a.model), `,"service_tier":"default","system_fingerprint":"fp_mock","choices":[`...)
	if a.includeUsage {
		c.suffix = `,"usage":null}` + "\n\n"
	}
	for c.choice = range a.n {
		c.message(a, ans)
	}
	if a.includeUsage {
		f.event = append(append(f.event, c.prefix...), `],"usage":`...)
		f.event = append(appendChatUsage(f.event, ans.usage), "}\n\n"...)
		f.end()
	}
	f.event = append(f.event, "data: [DONE]\n\n"...)
	f.end()
}

func (c *chatFilm) message(a *ask, ans *answer) {
	c.begin()
	switch ans.finish {
	case finishCalls:
		c.event = append(c.event, `"role":"assistant","content":null,"refusal":null`...)
	case finishRefuse:
		c.event = append(c.event, `"role":"assistant","content":null,"refusal":""`...)
	default:
		c.event = append(c.event, `"role":"assistant","content":"","refusal":null`...)
	}
	c.finish("null")
	c.end()
	for i := range ans.blocks {
		b := &ans.blocks[i]
		switch b.kind {
		case kindText:
			c.texts(`"content":`, b.pieces)
		case kindRefusal:
			c.texts(`"refusal":`, b.pieces)
		case kindCall:
			c.call(a, b)
		case kindThinking:
			c.pieces += int64(len(b.pieces)) // spent, though nobody sees it
		}
	}
	c.begin()
	c.finish(`"` + chatFinish(ans.finish) + `"`)
	c.end()
}

func (c *chatFilm) begin() {
	c.event = append(append(c.event, c.prefix...), `{"index":`...)
	c.event = append(strconv.AppendInt(c.event, int64(c.choice), 10), `,"delta":{`...)
}

func (c *chatFilm) finish(reason string) {
	c.event = append(append(c.event, `},"logprobs":null,"finish_reason":`...), reason...)
	c.event = append(append(c.event, "}]"...), c.suffix...)
}

func (c *chatFilm) texts(name string, pieces []string) {
	for _, piece := range pieces {
		c.begin()
		c.event = providers.AppendString(append(c.event, name...), piece)
		c.finish("null")
		c.endContent(1)
	}
}

func (c *chatFilm) call(a *ask, b *block) {
	c.begin()
	c.event = strconv.AppendInt(append(c.event, `"tool_calls":[{"index":`...), int64(b.call), 10)
	c.event = append(c.event, ',')
	c.event = append(c.event, appendChatCall(nil, a, b, c.choice)[1:]...)
	c.event = append(c.event, `,"arguments":""}}]`...)
	c.finish("null")
	c.end()
	for _, piece := range b.pieces {
		c.begin()
		c.event = strconv.AppendInt(append(c.event, `"tool_calls":[{"index":`...), int64(b.call), 10)
		c.event = providers.AppendString(append(c.event, `,"function":{"arguments":`...), piece)
		c.event = append(c.event, "}}]"...)
		c.finish("null")
		c.endContent(1)
	}
}
