package catalog_test

import (
	"encoding/json"
	"slices"

	"github.com/aistrale/aistrale/providers"
)

type object = map[string]any

func first(o object, names ...string) any {
	for _, n := range names {
		if o[n] != nil {
			return o[n]
		}
	}
	return nil
}

func str(v any) string      { s, _ := v.(string); return s }
func list(v any) []any      { l, _ := v.([]any); return l }
func sub(v any) object      { o, _ := v.(object); return o }
func count(v any) int64     { n, _ := v.(float64); return int64(n) }
func parse(s string) object { var o object; _ = json.Unmarshal([]byte(s), &o); return o }

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// readOpenAI reads Chat Completions, whole or as chunks.
// Source: https://platform.openai.com/docs/api-reference/chat (the chat object and its chunk).
func readOpenAI(events []string) (*told, bool) {
	w := newTold()
	calls := map[[2]int]*toldCall{}
	var order [][2]int
	for _, data := range events {
		if data == "[DONE]" {
			w.ended = true
			continue
		}
		o := parse(data)
		if o == nil {
			return nil, false
		}
		if o["error"] != nil {
			w.fault = &providers.Fault{}
			return w, true
		}
		usage := sub(first(o, "usage"))
		if usage == nil {
			usage = sub(sub(o["x_groq"])["usage"])
		}
		if usage != nil {
			w.usage = openaiUsage(usage)
			for _, m := range list(sub(o["usage_breakdown"])["models"]) { // only there is reasoning told
				w.usage.reasoning += openaiUsage(sub(sub(m)["usage"])).reasoning
			}
		}
		for _, v := range list(o["choices"]) {
			choice := sub(v)
			i := int(count(choice["index"]))
			c := w.choice(i)
			message := sub(choice["delta"]) // Perplexity's chunks have a message too, of all so far
			if len(events) == 1 && choice["message"] != nil {
				message, w.ended = sub(choice["message"]), true
			}
			if !c.openaiMessage(message) {
				return nil, false
			}
			for n, v := range openaiCalls(message) {
				call := sub(v)
				if call["index"] != nil {
					n = int(count(call["index"]))
				}
				key := [2]int{i, n}
				if calls[key] == nil {
					calls[key], order = &toldCall{}, append(order, key)
				}
				calls[key].add(call)
			}
			if reason := str(choice["finish_reason"]); reason != "" {
				c.native, c.finish = str(first(choice, "native_finish_reason", "finish_reason")), openaiFinish(reason)
			}
		}
	}
	slices.SortFunc(order, func(a, b [2]int) int { return (a[0]-b[0])<<16 + a[1] - b[1] })
	for _, key := range order {
		c := w.choice(key[0])
		c.calls = append(c.calls, *calls[key])
	}
	return w, len(w.choices) > 0
}

// openaiMessage adds a message or a delta; false for a content that is not OpenAI's.
func (c *toldChoice) openaiMessage(m object) bool {
	switch content := m["content"].(type) {
	case string:
		c.text += content
	case nil:
	default:
		return false
	}
	c.text += str(sub(m["audio"])["transcript"])
	c.reasoning += str(first(m, "reasoning_content", "reasoning"))
	c.refusal += str(m["refusal"])
	for _, a := range list(m["annotations"]) {
		if url := str(sub(sub(a)["url_citation"])["url"]); url != "" {
			c.urls = append(c.urls, url)
		}
	}
	return true
}

func openaiCalls(m object) []any {
	if legacy := sub(m["function_call"]); legacy != nil {
		return []any{object{"function": legacy}}
	}
	return list(m["tool_calls"])
}

func (t *toldCall) add(call object) {
	f := sub(call["function"])
	if custom := sub(call["custom"]); custom != nil {
		f = object{"name": custom["name"], "arguments": custom["input"]}
	}
	if id := str(call["id"]); id != "" {
		t.id = id
	}
	if name := str(f["name"]); name != "" {
		t.name = name
	}
	t.args += str(f["arguments"])
}

// openaiUsage reads usage. xAI counts reasoning beside the completion, which its total shows;
// some hosts count cached tokens beside the prompt.
func openaiUsage(u object) *toldUsage {
	cached := count(first(object{"": sub(u["prompt_tokens_details"])["cached_tokens"], "n": u["num_cached_tokens"], "h": u["prompt_cache_hit_tokens"]}, "", "n", "h"))
	reasoning := count(first(object{"": sub(u["completion_tokens_details"])["reasoning_tokens"], "r": u["reasoning_tokens"]}, "", "r"))
	prompt, output := count(u["prompt_tokens"]), count(u["completion_tokens"])
	if reasoning > 0 && count(u["total_tokens"]) == prompt+output+reasoning {
		output += reasoning
	}
	return &toldUsage{input: max(prompt, cached), output: output, cached: cached, reasoning: reasoning}
}

func openaiFinish(reason string) []providers.Finish {
	switch reason {
	case "stop":
		return []providers.Finish{providers.FinishStop}
	case "length":
		return []providers.Finish{providers.FinishLength}
	case "tool_calls", "function_call":
		return []providers.Finish{providers.FinishToolCalls}
	case "content_filter":
		return []providers.Finish{providers.FinishContentFilter}
	}
	return nil
}
