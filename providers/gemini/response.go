package gemini

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// What a reply says is read in one pass over each object, for every event. What has no use on most
// of them stays as it is written: values of the types below are JSON, nil where there is none.

// response is what counts of one GenerateContentResponse.
type response struct{ fault, id, model, feedback, usage, candidates []byte }

func readResponse(raw []byte) (r response) {
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "error":
			r.fault = value
		case "responseId":
			r.id = value
		case "modelVersion":
			r.model = value
		case "promptFeedback":
			r.feedback = value
		case "usageMetadata":
			r.usage = value
		case "candidates":
			r.candidates = value
		}
		return true
	})
	return r
}

// saidCandidate is what counts of a candidate of one frame.
type saidCandidate struct {
	index                                                  int64
	parts, finish, message, grounding, citations, logprobs []byte
}

func readSaidCandidate(raw []byte) (c saidCandidate) {
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "index":
			c.index, _ = providers.Count(value)
		case "content":
			c.parts = providers.Member(value, "parts")
		case "finishReason":
			c.finish = value
		case "finishMessage":
			c.message = value
		case "groundingMetadata":
			c.grounding = value
		case "citationMetadata":
			c.citations = value
		case "logprobsResult":
			c.logprobs = value
		}
		return true
	})
	return c
}

// saidPart is a part of a candidate's content.
type saidPart struct {
	raw, text          []byte
	call, inline, file gjson.Result
	thought            bool
	signature          string
}

func readSaidPart(raw []byte) saidPart {
	p := saidPart{raw: raw}
	providers.Members(raw, func(name, value []byte) bool {
		switch string(name) {
		case "text":
			p.text = value
		case "functionCall":
			p.call = gjson.ParseBytes(value)
		case "inlineData":
			p.inline = gjson.ParseBytes(value)
		case "fileData":
			p.file = gjson.ParseBytes(value)
		case "thought":
			p.thought = gjson.ParseBytes(value).Bool()
		case "thoughtSignature":
			p.signature = providers.Text(value)
		}
		return true
	})
	return p
}

func (p *saidPart) seal() *providers.Seal {
	if p.signature == "" {
		return nil
	}
	return &providers.Seal{Minter: Language, Signature: p.signature}
}
