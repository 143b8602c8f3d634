package mock

import (
	"strconv"

	"github.com/aistrale/aistrale/providers"
)

// A message writes an answer's blocks in Anthropic's words, and signs them as it goes.
type message struct {
	ask     *ask
	ans     *answer
	signed  chain
	thought bool
}

func newMessage(a *ask, ans *answer) message {
	m := message{ask: a, ans: ans, signed: newChain("anthropic")}
	for i := range ans.blocks {
		m.thought = m.thought || ans.blocks[i].kind == kindThinking
	}
	return m
}

// shown gives a block's text as the client sees it.
func (m *message) shown(b *block) string {
	if b.kind == kindThinking && m.ask.hideThoughts {
		return ""
	}
	return b.text()
}

// seal signs a block and gives the signature, or the data of redacted reasoning.
func (m *message) seal(b *block) string {
	switch {
	case b.kind == kindThinking && b.hidden:
		data := token("redacted", strconv.FormatUint(m.ans.id, 16)+b.text())
		m.signed.add("redacted " + data)
		return data
	case b.kind == kindThinking:
		m.signed.add("thinking " + m.shown(b))
		return m.signed.seal()
	case b.kind == kindCall:
		m.signed.add("tool_use " + m.callID(b) + " " + b.name)
	case b.kind == kindText:
		m.signed.add("text " + b.text())
	}
	return ""
}

func (m *message) callID(b *block) string {
	prefix := "toolu_01A"
	if m.thought {
		prefix = thoughtful
	}
	return m.ask.callID(prefix, b.call, 21)
}

// appendID appends the message's members up to its id.
func (m *message) appendID(dst []byte) []byte {
	dst = append(providers.AppendString(append(dst, `{"model":`...), m.ask.model), `,"id":"`...)
	dst = appendID(append(dst, "msg_01"...), m.ans.id, 22)
	return append(dst, `","type":"message","role":"assistant","content":[`...)
}

func writeMessage(dst []byte, a *ask, ans *answer) []byte {
	m := newMessage(a, ans)
	dst = m.appendID(dst)
	first := true
	for i := range ans.blocks {
		if ans.blocks[i].kind == kindRefusal {
			continue // said by the stop reason
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = m.appendBlock(dst, &ans.blocks[i])
	}
	dst = append(m.appendStop(append(dst, `],`...)), `,"usage":`...)
	return append(appendMessageUsage(dst, ans.usage, ans.usage.output), '}')
}

func (m *message) appendBlock(dst []byte, b *block) []byte {
	seal := m.seal(b)
	switch {
	case b.kind == kindThinking && b.hidden:
		dst = append(append(dst, `{"type":"redacted_thinking","data":"`...), seal...)
		return append(dst, `"}`...)
	case b.kind == kindThinking:
		dst = providers.AppendString(append(dst, `{"type":"thinking","thinking":`...), m.shown(b))
		dst = append(append(dst, `,"signature":"`...), seal...)
		return append(dst, `"}`...)
	case b.kind == kindCall:
		dst = append(append(dst, `{"type":"tool_use","id":"`...), m.callID(b)...)
		dst = providers.AppendString(append(dst, `","name":`...), b.name)
		return append(append(append(dst, `,"input":`...), b.text()...), '}')
	}
	return append(providers.AppendString(append(dst, `{"type":"text","text":`...), b.text()), '}')
}

// appendStop appends the stop reason and what belongs to it.
func (m *message) appendStop(dst []byte) []byte {
	reason := m.ans.finish
	switch reason {
	case finishStop:
		reason = "end_turn"
	case finishLength:
		reason = "max_tokens"
	case finishCalls:
		reason = "tool_use"
	case finishFilter, finishRefuse:
		reason = "refusal"
	}
	dst = providers.AppendString(append(dst, `"stop_reason":`...), reason)
	dst = append(dst, `,"stop_sequence":null`...)
	if reason == "refusal" {
		dst = append(dst, `,"stop_details":{"type":"refusal","category":"cyber","explanation":"This request was refused due to policy."}`...)
	}
	return dst
}

// appendMessageUsage appends usage, whose input leaves out what was cached.
func appendMessageUsage(dst []byte, u usage, output int64) []byte {
	dst = number(dst, `{"input_tokens":`, u.input-u.cached)
	dst = number(dst, `,"cache_creation_input_tokens":0,"cache_read_input_tokens":`, u.cached)
	dst = append(dst, `,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}`...)
	dst = appendOutput(dst, u, output)
	return append(dst, `,"service_tier":"standard"}`...)
}

// appendOutput appends the output's count, with the share of reasoning once there is any.
func appendOutput(dst []byte, u usage, output int64) []byte {
	dst = number(dst, `,"output_tokens":`, output)
	if u.reasoning > 0 && output == u.output {
		dst = append(number(dst, `,"output_tokens_details":{"thinking_tokens":`, u.reasoning), '}')
	}
	return dst
}

// messageFilm writes a message as events.
type messageFilm struct {
	*film
	message
}

// filmMessage renders the events of a message, with a ping behind the first block's start.
// Source: https://docs.claude.com/en/docs/build-with-claude/streaming
func filmMessage(f *film, a *ask, ans *answer) {
	m := messageFilm{f, newMessage(a, ans)}
	m.open("message_start")
	f.event = m.appendID(append(f.event, `,"message":`...))
	f.event = append(f.event, `],"stop_reason":null,"stop_sequence":null,"usage":`...)
	f.event = append(appendMessageUsage(f.event, ans.usage, min(1, ans.usage.output)), '}')
	m.close()
	index := 0
	for i := range ans.blocks {
		if b := &ans.blocks[i]; b.kind != kindRefusal {
			m.block(index, b)
			index++
		}
	}
	m.open("message_delta")
	f.event = append(m.appendStop(append(f.event, `,"delta":{`...)), `},"usage":`...)
	f.event = number(f.event, `{"input_tokens":`, ans.usage.input-ans.usage.cached)
	f.event = number(f.event, `,"cache_creation_input_tokens":0,"cache_read_input_tokens":`, ans.usage.cached)
	f.event = append(appendOutput(f.event, ans.usage, ans.usage.output), '}')
	m.close()
	m.open("message_stop")
	m.close()
}

func (m *messageFilm) open(kind string) {
	m.event = append(append(m.event, "event: "...), kind...)
	m.event = append(append(m.event, "\ndata: {\"type\":\""...), kind...)
	m.event = append(m.event, '"')
}

func (m *messageFilm) close() {
	m.event = append(m.event, "}\n\n"...)
	m.end()
}

func (m *messageFilm) block(index int, b *block) {
	seal := m.seal(b)
	m.open("content_block_start")
	m.event = append(number(m.event, `,"index":`, int64(index)), `,"content_block":`...)
	name, member := "text_delta", "text"
	switch {
	case b.kind == kindThinking && b.hidden:
		m.event = append(append(m.event, `{"type":"redacted_thinking","data":"`...), seal...)
		m.event = append(m.event, `"}`...)
	case b.kind == kindThinking:
		name, member = "thinking_delta", "thinking"
		m.event = append(m.event, `{"type":"thinking","thinking":"","signature":""}`...)
	case b.kind == kindCall:
		name, member = "input_json_delta", "partial_json"
		m.event = append(append(m.event, `{"type":"tool_use","id":"`...), m.callID(b)...)
		m.event = append(providers.AppendString(append(m.event, `","name":`...), b.name), `,"input":{}}`...)
	default:
		m.event = append(m.event, `{"type":"text","text":""}`...)
	}
	m.close()
	if index == 0 {
		m.event = append(m.event, "event: ping\ndata: {\"type\": \"ping\"}\n\n"...)
		m.end()
	}
	m.deltas(index, b, name, member)
	if b.kind == kindThinking && !b.hidden {
		m.delta(index, "signature_delta", "signature", seal)
		m.end()
	}
	m.open("content_block_stop")
	m.event = number(m.event, `,"index":`, int64(index))
	m.close()
}

// deltas writes a block's pieces. What is not shown is spent all the same. The first piece of
// a call's arguments is empty, as Anthropic's is.
func (m *messageFilm) deltas(index int, b *block, name, member string) {
	if b.kind == kindThinking && (b.hidden || m.ask.hideThoughts) {
		m.pieces += int64(len(b.pieces))
		return
	}
	if b.kind == kindCall {
		m.delta(index, name, member, "")
		m.end()
	}
	for _, piece := range b.pieces {
		m.delta(index, name, member, piece)
		m.endContent(1)
	}
}

func (m *messageFilm) delta(index int, name, member, text string) {
	m.open("content_block_delta")
	m.event = number(m.event, `,"index":`, int64(index))
	m.event = append(append(m.event, `,"delta":{"type":"`...), name...)
	m.event = append(append(m.event, `","`...), member...)
	m.event = append(providers.AppendString(append(m.event, `":`...), text), "}}\n\n"...)
}
