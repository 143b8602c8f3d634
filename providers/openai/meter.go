package openai

import (
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// readUsage reads the usage of a chunk or a whole reply: the language's own member, or Groq's.
func readUsage(root gjson.Result) (providers.Usage, bool) {
	usage := root.Get("usage")
	if !usage.IsObject() {
		if usage = root.Get("x_groq.usage"); !usage.IsObject() {
			return providers.Usage{}, false
		}
	}
	tier := root.Get("service_tier").Str
	out := providers.Usage{Raw: []byte(usage.Raw)}
	// Groq's compound systems call several models, each at its own price; usage is their sum.
	// The array is null where one model worked alone.
	for _, m := range root.Get("usage_breakdown.models").Array() {
		if used := m.Get("usage"); used.IsObject() {
			line := add(&out, []byte(used.Raw))
			line.Model, line.Tier = m.Get("model").Str, either(tier, line.Tier)
		}
	}
	if len(out.Lines) == 0 {
		line := add(&out, out.Raw)
		line.Tier = either(tier, line.Tier)
	}
	return out, true
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// slot says which meter a usage member feeds, and how official that spelling is: 0 is best.
// Behind the official names: DeepSeek's and Moonshot's cache hits, Vercel's and LiteLLM's cache
// writes, Perplexity's and OpenRouter's searches. parent is "" for a member of usage itself.
func slot(parent, name []byte) (m providers.Meter, rank uint8, ok bool) {
	switch string(parent) {
	case "":
		return topSlot(name)
	case "prompt_tokens_details", "input_tokens_details", "input_token_details":
		switch string(name) {
		case "cached_tokens":
			return providers.CacheRead, 0, true
		case "cache_write_tokens":
			return providers.CacheWrite, 0, true
		case "audio_tokens":
			return providers.AudioIn, 0, true
		case "image_tokens":
			return providers.ImagesIn, 0, true
		}
	case "completion_tokens_details":
		switch string(name) {
		case "reasoning_tokens":
			return providers.Reasoning, 0, true
		case "audio_tokens":
			return providers.AudioOut, 0, true
		}
	case "cache_creation":
		switch string(name) {
		case "ephemeral_5m_input_tokens":
			return providers.CacheWrite5m, 0, true
		case "ephemeral_1h_input_tokens":
			return providers.CacheWrite1h, 0, true
		}
	case "server_tool_use", "server_tool_use_details":
		if string(name) == "web_search_requests" {
			return providers.Searches, 1, true
		}
	}
	return 0, 0, false
}

func topSlot(name []byte) (m providers.Meter, rank uint8, ok bool) {
	switch string(name) {
	case "prompt_tokens":
		return providers.InputTotal, 0, true
	case "completion_tokens":
		return providers.OutputTotal, 0, true
	case "prompt_cache_hit_tokens":
		return providers.CacheRead, 1, true
	case "cached_tokens":
		return providers.CacheRead, 2, true
	case "num_cached_tokens":
		return providers.CacheRead, 3, true
	case "cache_creation_input_tokens":
		return providers.CacheWrite, 1, true
	case "reasoning_tokens":
		return providers.Reasoning, 1, true
	case "num_search_queries":
		return providers.Searches, 0, true
	case "input_tokens": // of sounds and images
		return providers.InputTotal, 1, true
	case "output_tokens":
		return providers.OutputTotal, 1, true
	}
	return 0, 0, false
}

// tally reads a usage object in one pass.
type tally struct {
	line  *providers.UsageLine
	rank  [32]uint8 // of the spelling that a meter was read from, plus 1
	total int64
}

func (t *tally) read(parent, object []byte) {
	providers.Members(object, func(name, value []byte) bool {
		switch {
		case value[0] == '"' && string(name) == "service_tier":
			t.line.Tier = gjson.ParseBytes(value).Str
		case value[0] == '{' && parent == nil:
			t.read(name, value)
		case value[0] != '"':
			t.number(parent, name, value)
		}
		return true
	})
}

func (t *tally) number(parent, name, value []byte) {
	if parent == nil && string(name) == "seconds" { // of a sound that was written down
		t.line.Set(providers.AudioInMs, milliseconds(gjson.ParseBytes(value)))
		return
	}
	n, ok := providers.Count(value)
	if !ok {
		return
	}
	if parent == nil && string(name) == "total_tokens" {
		t.total = n
		return
	}
	m, rank, ok := slot(parent, name)
	if !ok || t.rank[m] != 0 && t.rank[m] <= rank+1 {
		return
	}
	t.rank[m] = rank + 1
	t.line.Set(m, n)
}

// add gives the line of a usage object, which to becomes longer by.
func add(to *providers.Usage, object []byte) *providers.UsageLine {
	to.Lines = append(to.Lines, providers.UsageLine{})
	t := tally{line: &to.Lines[len(to.Lines)-1]}
	t.read(nil, object)
	plainOutput(t.line, t.total)
	return t.line
}

// plainOutput corrects providers (xAI) whose completion_tokens leave reasoning out, which
// shows in their total.
func plainOutput(line *providers.UsageLine, total int64) {
	input, ok1 := line.Get(providers.InputTotal)
	output, ok2 := line.Get(providers.OutputTotal)
	reasoning, _ := line.Get(providers.Reasoning)
	if ok1 && ok2 && reasoning > 0 && total == input+output+reasoning {
		line.Set(providers.OutputTotal, output+reasoning)
	}
}
