package catalog_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// readResponses reads a response, whole or as events. Of a stream its items count as they were done:
// the last event has them once more, but with reasoning sealed anew.
// Source: https://platform.openai.com/docs/api-reference/responses (the response object and the
// streaming events).
func readResponses(events []string) (*told, bool) {
	w := newTold()
	var response object
	done := map[int64]any{}
	pieces := map[int64]string{} // of texts and arguments, by item
	for _, data := range events {
		o := parse(data)
		switch kind := str(o["type"]); {
		case o == nil && data != "[DONE]":
			return nil, false
		case str(o["object"]) == "response":
			response = o
		case kind == "response.completed", kind == "response.incomplete":
			if response != nil {
				return nil, false // two replies in one recording
			}
			response = sub(o["response"])
		case kind == "response.output_text.delta", kind == "response.refusal.delta", kind == "response.function_call_arguments.delta":
			pieces[count(o["output_index"])] += str(o["delta"])
		case kind == "response.output_item.done":
			if whole := wording(sub(o["item"])); whole != "" && whole != pieces[count(o["output_index"])] {
				return nil, false // whoever recorded it has shortened one of the two
			}
			done[count(o["output_index"])] = o["item"]
		case kind == "error", kind == "response.failed":
			w.fault = &providers.Fault{}
		}
	}
	if w.fault != nil {
		return w, true
	}
	if status := str(response["status"]); status != "completed" && status != "incomplete" {
		return nil, false // in the background, or cut off by the recording
	}
	items := list(response["output"])
	if len(done) > 0 {
		items = nil
	}
	for _, at := range slices.Sorted(maps.Keys(done)) {
		items = append(items, done[at])
	}
	c := w.choice(0)
	for _, item := range items {
		c.responsesItem(sub(item))
	}
	w.ended = true
	c.responsesFinish(response)
	if u := sub(response["usage"]); u != nil {
		w.usage = &toldUsage{
			input: count(u["input_tokens"]), output: count(u["output_tokens"]), cached: count(sub(u["input_tokens_details"])["cached_tokens"]),
			reasoning: count(sub(u["output_tokens_details"])["reasoning_tokens"]),
		}
	}
	return w, true
}

// wording is what the pieces of an item add up to; "" for an item of another kind.
func wording(it object) string {
	if str(it["type"]) == "function_call" {
		return str(it["arguments"])
	}
	said := ""
	for _, part := range list(it["content"]) {
		if kind := str(sub(part)["type"]); kind == "output_text" || kind == "refusal" {
			said += str(sub(part)["text"]) + str(sub(part)["refusal"])
		}
	}
	return said
}

func (c *toldChoice) responsesItem(it object) {
	switch str(it["type"]) {
	case "message":
		for _, v := range list(it["content"]) {
			part := sub(v)
			c.text += str(part["text"])
			c.refusal += str(part["refusal"])
			for _, a := range list(part["annotations"]) {
				if url := str(sub(a)["url"]); url != "" {
					c.urls = append(c.urls, url)
				}
			}
		}
	case "reasoning":
		c.reasoning += responsesThought(it)
		if sealed := str(it["encrypted_content"]); sealed != "" {
			c.seals = append(c.seals, sealed)
		}
	case "function_call", "custom_tool_call":
		c.calls = append(c.calls, toldCall{id: str(it["call_id"]), name: str(it["name"]), args: str(it["arguments"]) + str(it["input"])})
	case "image_generation_call":
		if data := str(it["result"]); data != "" {
			c.media = append(c.media, data)
		}
	}
}

// responsesThought is what reasoning shows: its summary, or the text that the summary is of.
func responsesThought(it object) string {
	for _, member := range []string{"summary", "content"} {
		var texts []string
		for _, v := range list(it[member]) {
			texts = append(texts, str(sub(v)["text"]))
		}
		if len(texts) > 0 {
			return strings.Join(texts, "\n\n")
		}
	}
	return ""
}

func (c *toldChoice) responsesFinish(response object) {
	c.native = str(response["status"])
	if reason := str(sub(response["incomplete_details"])["reason"]); reason != "" {
		c.native = reason
	}
	switch {
	case c.native == "max_output_tokens":
		c.finish = []providers.Finish{providers.FinishLength}
	case c.native == "content_filter":
		c.finish = []providers.Finish{providers.FinishContentFilter}
	case len(c.calls) > 0:
		c.finish = []providers.Finish{providers.FinishToolCalls}
	case c.native == "completed":
		c.finish = []providers.Finish{providers.FinishStop}
	}
}
