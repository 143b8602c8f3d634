package catalog_test

import "fmt"

// ungrammatical holds responses to the order that Gemini's own follow: all of one model and id;
// parts of one kind each; behind a candidate's reason to finish nothing more of it; and last a
// response that gives the reason, with the usage.
func ungrammatical(frames []string, stream bool) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if !stream && len(frames) != 1 || len(frames) == 0 {
		return []string{fmt.Sprintf("%d responses", len(frames))}
	}
	first, finished := parse(frames[0]), map[int64]bool{}
	var last object
	for _, data := range frames {
		o := parse(data)
		if o == nil || o["responseId"] != first["responseId"] || o["modelVersion"] != first["modelVersion"] {
			say("a response of another reply: %s", brief(data))
		}
		for _, v := range list(o["candidates"]) {
			c := sub(v)
			index := count(c["index"])
			if finished[index] {
				say("candidate %d goes on behind its end", index)
			}
			if content := sub(c["content"]); content != nil && str(content["role"]) != "model" {
				say("a content of the role %q", str(content["role"]))
			}
			for _, part := range list(sub(c["content"])["parts"]) {
				if !onePart(sub(part)) {
					say("a part %s", brief(text(part)))
				}
			}
			finished[index] = c["finishReason"] != nil
		}
		last = o
	}
	for index, over := range finished {
		if !over {
			say("candidate %d has no end", index)
		}
	}
	if blocked := sub(last["promptFeedback"])["blockReason"]; len(finished) == 0 && blocked == nil {
		say("no candidates")
	}
	if sub(last["usageMetadata"]) == nil {
		say("the last response has no usage: %s", brief(frames[len(frames)-1]))
	}
	return wrong
}

// onePart reports a part with the data of one kind, in that kind's form.
func onePart(p object) bool {
	kinds := 0
	for name, v := range p {
		switch name {
		case "text":
			if _, ok := v.(string); !ok {
				return false
			}
			kinds++
		case "functionCall":
			call := sub(v)
			if str(call["name"]) == "" || call["args"] != nil && sub(call["args"]) == nil {
				return false
			}
			kinds++
		case "inlineData", "fileData", "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
			kinds++
		}
	}
	return kinds == 1
}
