package gemini

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Observe implements providers.Dialect. Every event of the API is a whole response, with usage
// on nearly all of them, so the walk is flat and by hand.
func (Dialect) Observe(frame []byte) providers.Seen {
	var seen providers.Seen
	o := observer{seen: &seen}
	if i := providers.SkipSpace(frame, 0); i < len(frame) && frame[i] == '[' {
		providers.Elements(frame, func(item []byte) bool {
			o.response(item)
			return true
		})
	} else {
		o.response(frame)
	}
	o.count()
	return seen
}

type observer struct {
	seen    *providers.Seen
	queries int64
	model   []byte // that answered
}

func (o *observer) response(raw []byte) {
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "candidates":
			providers.Elements(value, func(candidate []byte) bool {
				o.candidate(candidate)
				return true
			})
		case "usageMetadata":
			if u := readUsage(nil, value); len(u.Lines) > 0 {
				o.seen.HasUsage, o.seen.Usage = true, u
			}
		case "modelVersion":
			o.model = inner(value)
		case "promptFeedback":
			o.feedback(value)
		case "error":
			if value[0] == '{' && providers.ValidJSON(value) {
				e := gjson.ParseBytes(value)
				o.seen.Fault = faultOf(int(e.Get("code").Int()), e)
			}
		}
		return true
	})
}

// count adds the searches, which stand apart from the usage. A queryless event is left alone.
func (o *observer) count() {
	if o.queries == 0 {
		return
	}
	if generation(string(o.model)) < 3 {
		o.queries = 1
	}
	if len(o.seen.Usage.Lines) == 0 {
		o.seen.HasUsage = true
		o.seen.Usage.Lines = []providers.UsageLine{searchLine(o.queries)}
		return
	}
	o.seen.Usage.Lines[0].Set(providers.Searches, o.queries)
}

func (o *observer) feedback(raw []byte) {
	if reason := blockReason(gjson.ParseBytes(providers.Member(raw, "blockReason"))); reason != "" {
		o.seen.Finish = reason
	}
}

func (o *observer) candidate(raw []byte) {
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "content":
			providers.Elements(providers.Member(value, "parts"), func(part []byte) bool {
				o.seen.Content += visible(part)
				return true
			})
		case "finishReason":
			o.seen.Finish = saidReason(value)
		case "groundingMetadata":
			providers.Elements(providers.Member(value, "webSearchQueries"), func([]byte) bool { o.queries++; return true })
		}
		return true
	})
}

// visible counts the bytes of a part that a client gets to see.
func visible(part []byte) int {
	n := 0
	providers.Members(part, func(name, value []byte) bool {
		switch string(name) {
		case "text":
			n += len(inner(value))
		case "functionCall":
			n += len(value)
		case "inlineData", "fileData":
			n++ // an image's or a sound's bytes are no text
		}
		return true
	})
	return n
}
