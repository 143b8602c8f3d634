package gemini

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// What a reply says is read in one pass over each object: to find each member alone would be as
// many, for every event.

// response is what counts of one GenerateContentResponse.
type response struct{ fault, id, model, feedback, usage, candidates gjson.Result }

func readResponse(v gjson.Result) (r response) {
	v.ForEach(func(name, value gjson.Result) bool {
		switch name.Str {
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
type saidCandidate struct{ index, content, finish, message, grounding, citations, logprobs gjson.Result }

func readSaidCandidate(v gjson.Result) (c saidCandidate) {
	v.ForEach(func(name, value gjson.Result) bool {
		switch name.Str {
		case "index":
			c.index = value
		case "content":
			c.content = value
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
	raw                      string
	text, call, inline, file gjson.Result
	thought                  bool
	signature                string
}

func readSaidPart(v gjson.Result) saidPart {
	p := saidPart{raw: v.Raw}
	v.ForEach(func(name, value gjson.Result) bool {
		switch name.Str {
		case "text":
			p.text = value
		case "functionCall":
			p.call = value
		case "inlineData":
			p.inline = value
		case "fileData":
			p.file = value
		case "thought":
			p.thought = value.Bool()
		case "thoughtSignature":
			p.signature = value.Str
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
