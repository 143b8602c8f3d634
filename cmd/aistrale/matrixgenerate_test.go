package main_test

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

var generateFace = &clientFace{
	name: "Gemini generateContent", language: "gemini",
	headers:   map[string]string{"x-goog-api-key": fullKey},
	path:      generatePath,
	ask:       askGenerate,
	read:      readGenerate,
	stream:    func() assembler { return &generateStream{parts: []any{}} },
	readFault: readGenerateFault,
	words:     finishes{stop: "STOP", length: "MAX_TOKENS", calls: "STOP", refusal: "SAFETY", limited: "RESOURCE_EXHAUSTED"},

	countsThoughts: true,
}

func generatePath(q *question) string {
	if q.stream {
		return "/gemini/v1beta/models/" + q.model + ":streamGenerateContent?alt=sse"
	}
	return "/gemini/v1beta/models/" + q.model + ":generateContent"
}

func askGenerate(q *question) object {
	_, pixel, _ := strings.Cut(pixelURL, ",")
	user := []any{object{"text": q.user}}
	if q.image {
		user = append(user, object{"inlineData": object{"mimeType": "image/png", "data": pixel}})
	}
	contents := []any{object{"role": "user", "parts": user}}
	for _, r := range q.past {
		var results []any
		for i := range r.calls {
			results = append(results, object{"functionResponse": object{
				"id": r.calls[i].id, "name": r.calls[i].name, "response": object{"output": r.calls[i].result()},
			}})
		}
		contents = append(contents, r.turn, object{"role": "user", "parts": results})
	}
	asked := object{"contents": contents, "systemInstruction": object{"parts": []any{object{"text": q.system}}}}
	if q.tools {
		var tools []any
		for _, name := range toolNames {
			tools = append(tools, object{"name": name, "parametersJsonSchema": placeSchema()})
		}
		asked["tools"] = []any{object{"functionDeclarations": tools}}
	}
	config := object{}
	if q.schema {
		config["responseMimeType"], config["responseJsonSchema"] = "application/json", personSchema()
	}
	if q.thinks {
		config["thinkingConfig"] = object{"includeThoughts": true, "thinkingLevel": "LOW"}
	}
	if q.stop != "" {
		config["stopSequences"] = []string{q.stop}
	}
	if q.most > 0 {
		config["maxOutputTokens"] = q.most
	}
	if len(config) > 0 {
		asked["generationConfig"] = config
	}
	return asked
}

func readGenerate(whole gjson.Result) *reply {
	candidate, usage := whole.Get("candidates.0"), whole.Get("usageMetadata")
	thoughts := usage.Get("thoughtsTokenCount").Int()
	r := &reply{
		stop: candidate.Get("finishReason").Str, refusal: whole.Get("promptFeedback.blockReason").Str,
		input: usage.Get("promptTokenCount").Int(), output: usage.Get("candidatesTokenCount").Int() + thoughts, thoughts: thoughts,
		turn: json.RawMessage(candidate.Get("content").Raw),
	}
	if r.stop != "STOP" && r.stop != "MAX_TOKENS" {
		r.refusal += candidate.Get("finishMessage").Str
	}
	for _, p := range candidate.Get("content.parts").Array() {
		switch call := p.Get("functionCall"); {
		case call.Exists():
			r.calls = append(r.calls, toolCall{call.Get("id").Str, call.Get("name").Str, call.Get("args").Raw})
		case p.Get("thought").Bool():
			r.reasoning += p.Get("text").Str
		default:
			r.text += p.Get("text").Str
		}
	}
	return r
}

func readGenerateFault(body gjson.Result) *toldFault {
	e := body.Get("error")
	if e.Get("code").Int() < 400 || e.Get("status").Str == "" {
		return nil
	}
	return &toldFault{kind: e.Get("status").Str, message: e.Get("message").Str}
}

// A generateStream keeps the parts of all events as they came, as Google's clients do. There is
// no end mark but the finish reason, or that the prompt was blocked.
type generateStream struct {
	grammar
	id     any
	parts  []any
	last   object
	finish any
	ended  bool
	fault  gjson.Result
}

func (s *generateStream) event(_, data string) {
	s.check(!s.ended && !s.fault.Exists(), "an event behind the last: %s", data)
	o := parsed(data)
	if _, broken := o["error"]; broken {
		s.fault = gjson.Parse(data)
		return
	}
	s.check(o["responseId"] != nil && o["modelVersion"] != nil && (s.id == nil || s.id == o["responseId"]), "event %s", data)
	s.id, s.last = o["responseId"], o
	candidates, _ := o["candidates"].([]any)
	s.check(len(candidates) == 1 || sub(o, "promptFeedback")["blockReason"] != nil, "neither a candidate nor blocked: %s", data)
	for _, one := range candidates {
		candidate, _ := one.(object)
		content := sub(candidate, "content")
		parts, _ := content["parts"].([]any)
		s.check(content["role"] == "model" || len(parts) == 0, "content of %v", content["role"])
		s.parts = slices.Concat(s.parts, parts)
		s.finish = candidate["finishReason"]
	}
	s.ended = s.finish != nil || len(candidates) == 0
	s.check(!s.ended || o["usageMetadata"] != nil, "the last event has no usage: %s", data)
}

func (s *generateStream) end() (whole, fault gjson.Result, ended bool, wrong []string) {
	out := object{}
	for name, value := range s.last {
		out[name] = value
	}
	if s.last["candidates"] != nil {
		content := object{"role": "model", "parts": s.parts}
		out["candidates"] = []any{object{"content": content, "finishReason": s.finish, "finishMessage": finishMessage(s.last)}}
	}
	return gjson.Parse(jsonOf(out)), s.fault, s.ended, s.wrong
}

func finishMessage(last object) string {
	return gjson.Get(jsonOf(last), "candidates.0.finishMessage").Str
}
