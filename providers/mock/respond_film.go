package mock

import "github.com/aistrale/aistrale/providers"

// respondFilm writes a response as events.
type respondFilm struct {
	*film
	respondReply
	item int // the one being said
}

// filmRespond renders the events of a response.
// Source: https://platform.openai.com/docs/api-reference/responses-streaming
func filmRespond(f *film, a *ask, ans *answer) {
	r := respondFilm{film: f, respondReply: respondReply{a, ans}}
	r.whole("response.created", "in_progress")
	r.whole("response.in_progress", "in_progress")
	for r.item = range ans.blocks {
		b := &ans.blocks[r.item]
		r.itemEvent("response.output_item.added", "in_progress")
		switch b.kind {
		case kindText:
			r.part(b, "response.output_text", "text")
		case kindRefusal:
			r.part(b, "response.refusal", "refusal")
		case kindCall:
			r.arguments(b)
		case kindThinking:
			r.thought(b)
		}
		r.itemEvent("response.output_item.done", r.itemStatus(r.item))
	}
	r.whole("response."+r.status(), r.status())
}

// numbered begins an event. Its number is how many went before it.
func (f *film) numbered(kind string) {
	f.event = append(append(f.event, "event: "...), kind...)
	f.event = append(append(f.event, "\ndata: {\"type\":\""...), kind...)
	f.event = number(f.event, `","sequence_number":`, int64(len(f.marks)))
}

func (r *respondFilm) shut() {
	r.event = append(r.event, "}\n\n"...)
	r.end()
}

func (r *respondFilm) whole(kind, status string) {
	r.numbered(kind)
	r.event = r.appendResponse(append(r.event, `,"response":`...), status)
	r.shut()
}

func (r *respondFilm) itemEvent(kind, status string) {
	r.numbered(kind)
	r.event = number(r.event, `,"output_index":`, int64(r.item))
	r.event = r.appendItem(append(r.event, `,"item":`...), r.item, status)
	r.shut()
}

// member begins an event about what is inside the item; index names its place there.
func (r *respondFilm) member(kind, index string) {
	r.numbered(kind)
	r.event = providers.AppendString(append(r.event, `,"item_id":`...), r.itemID(r.item))
	r.event = number(r.event, `,"output_index":`, int64(r.item))
	if index != "" {
		r.event = append(append(append(r.event, `,"`...), index...), `":0`...)
	}
}

// deltas writes the deltas.
func (r *respondFilm) deltas(kind, index string, b *block, more string) {
	for _, piece := range b.pieces {
		r.member(kind, index)
		r.event = providers.AppendString(append(r.event, `,"delta":`...), piece)
		r.event = append(append(r.event, more...), "}\n\n"...)
		r.endContent(1)
	}
}

// said writes the event that repeats what the deltas said.
func (r *respondFilm) said(kind, index, name, text, more string) {
	r.member(kind, index)
	r.event = append(append(append(r.event, `,"`...), name...), `":`...)
	r.event = append(providers.AppendString(r.event, text), more...)
	r.shut()
}

// part writes the part that a message consists of.
func (r *respondFilm) part(b *block, kind, name string) {
	more := ""
	if b.kind == kindText {
		more = `,"logprobs":[]`
	}
	r.member("response.content_part.added", "content_index")
	r.event = appendRespondPart(append(r.event, `,"part":`...), b, "")
	r.shut()
	r.deltas(kind+".delta", "content_index", b, more)
	r.said(kind+".done", "content_index", name, b.text(), more)
	r.member("response.content_part.done", "content_index")
	r.event = appendRespondPart(append(r.event, `,"part":`...), b, b.text())
	r.shut()
}

func (r *respondFilm) arguments(b *block) {
	const kind = "response.function_call_arguments"
	r.deltas(kind+".delta", "", b, "")
	r.said(kind+".done", "", "arguments", b.text(), "")
}

// thought writes the summary of reasoning. What is not shown is spent all the same.
func (r *respondFilm) thought(b *block) {
	if r.ask.hideThoughts {
		r.pieces += int64(len(b.pieces))
		return
	}
	const kind, index = "response.reasoning_summary_text", "summary_index"
	for _, at := range [...]struct{ kind, text string }{{"added", ""}, {"done", b.text()}} {
		if at.kind == "done" {
			r.deltas(kind+".delta", index, b, "")
			r.said(kind+".done", index, "text", b.text(), "")
		}
		r.member("response.reasoning_summary_part."+at.kind, index)
		r.event = append(providers.AppendString(append(r.event, `,"part":{"type":"summary_text","text":`...), at.text), '}')
		r.shut()
	}
}

// responding is OpenAI's manner where a stream's events have names and numbers.
type responding struct{ openAI }

func (responding) broken(f *film) {
	message, _, code := openAIError(&refusal{status: 500})
	if code == "" {
		code = "server_error"
	}
	f.numbered("error")
	f.event = providers.AppendString(append(f.event, `,"code":`...), code)
	f.event = providers.AppendString(append(f.event, `,"message":`...), message)
	f.event = append(f.event, ",\"param\":null}\n\n"...)
	f.end()
}
