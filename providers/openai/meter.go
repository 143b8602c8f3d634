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
			line := add(&out, used)
			line.Model, line.Tier = m.Get("model").Str, either(tier, line.Tier)
		}
	}
	if len(out.Lines) == 0 {
		line := add(&out, usage)
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
func slot(parent, name string) (m providers.Meter, rank uint8, ok bool) {
	switch parent {
	case "":
		return topSlot(name)
	case "prompt_tokens_details", "input_tokens_details", "input_token_details":
		switch name {
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
		switch name {
		case "reasoning_tokens":
			return providers.Reasoning, 0, true
		case "audio_tokens":
			return providers.AudioOut, 0, true
		}
	case "cache_creation":
		switch name {
		case "ephemeral_5m_input_tokens":
			return providers.CacheWrite5m, 0, true
		case "ephemeral_1h_input_tokens":
			return providers.CacheWrite1h, 0, true
		}
	case "server_tool_use", "server_tool_use_details":
		if name == "web_search_requests" {
			return providers.Searches, 1, true
		}
	}
	return 0, 0, false
}

func topSlot(name string) (m providers.Meter, rank uint8, ok bool) {
	switch name {
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
	tier  string
	inner []detail
}

// detail is an object within the usage object.
type detail struct{ name, raw string }

// read reads the details behind the rest, and not within it, for the sake of the stack, of which
// each open connection has one.
func (t *tally) read(object gjson.Result) {
	t.members("", object)
	for _, d := range t.inner {
		t.members(d.name, gjson.Parse(d.raw))
	}
}

func (t *tally) members(parent string, object gjson.Result) {
	object.ForEach(func(key, value gjson.Result) bool {
		switch {
		case value.Type == gjson.Number:
			t.number(parent, key.Str, value)
		case value.Type == gjson.String && key.Str == "service_tier":
			t.tier = value.Str
		case parent == "" && value.IsObject():
			t.inner = append(t.inner, detail{key.Str, value.Raw})
		}
		return true
	})
}

func (t *tally) number(parent, name string, value gjson.Result) {
	if parent == "" && name == "total_tokens" {
		t.total = value.Int()
		return
	}
	if parent == "" && name == "seconds" { // of a sound that was written down
		t.line.Set(providers.AudioInMs, milliseconds(value))
		return
	}
	m, rank, ok := slot(parent, name)
	if !ok || value.Num < 0 || t.rank[m] != 0 && t.rank[m] <= rank+1 {
		return
	}
	t.rank[m] = rank + 1
	t.line.Set(m, value.Int())
}

// add gives the line of a usage object, which to becomes longer by.
func add(to *providers.Usage, object gjson.Result) *providers.UsageLine {
	to.Lines = append(to.Lines, providers.UsageLine{})
	var few [4]detail
	t := tally{line: &to.Lines[len(to.Lines)-1], inner: few[:0]}
	t.read(object)
	t.line.Tier = t.tier
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
