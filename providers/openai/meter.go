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
	tier := either(root.Get("service_tier").Str, usage.Get("service_tier").Str)
	out := providers.Usage{Raw: []byte(usage.Raw)}
	// Groq's compound systems call several models, each at its own price; usage is their sum.
	// The array is null where one model worked alone.
	for _, m := range root.Get("usage_breakdown.models").Array() {
		if used := m.Get("usage"); used.IsObject() {
			line := meter(used)
			line.Model, line.Tier = m.Get("model").Str, tier
			out.Lines = append(out.Lines, line)
		}
	}
	if len(out.Lines) == 0 {
		line := meter(usage)
		line.Tier = tier
		out.Lines = append(out.Lines, line)
	}
	return out, true
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// spelling is a meter and the places where a usage object may have it, the official first.
type spelling struct {
	meter providers.Meter
	paths []string
}

// spellings lists what is billed. Behind the official names: DeepSeek's and Moonshot's cache
// hits, Vercel's and LiteLLM's cache writes, Perplexity's and OpenRouter's searches.
func spellings() []spelling {
	return []spelling{
		{providers.InputTotal, []string{"prompt_tokens"}},
		{providers.OutputTotal, []string{"completion_tokens"}},
		{providers.CacheRead, []string{"prompt_tokens_details.cached_tokens", "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens"}},
		{providers.CacheWrite, []string{"prompt_tokens_details.cache_write_tokens", "cache_creation_input_tokens"}},
		{providers.CacheWrite5m, []string{"cache_creation.ephemeral_5m_input_tokens"}},
		{providers.CacheWrite1h, []string{"cache_creation.ephemeral_1h_input_tokens"}},
		{providers.AudioIn, []string{"prompt_tokens_details.audio_tokens"}},
		{providers.ImagesIn, []string{"prompt_tokens_details.image_tokens"}},
		{providers.Reasoning, []string{"completion_tokens_details.reasoning_tokens", "reasoning_tokens"}},
		{providers.AudioOut, []string{"completion_tokens_details.audio_tokens"}},
		{providers.Searches, []string{"num_search_queries", "server_tool_use.web_search_requests", "server_tool_use_details.web_search_requests"}},
	}
}

func meter(usage gjson.Result) providers.UsageLine {
	var line providers.UsageLine
	for _, s := range spellings() {
		for _, path := range s.paths {
			if v := usage.Get(path); v.Type == gjson.Number && v.Num >= 0 {
				line.Set(s.meter, v.Int())
				break
			}
		}
	}
	plainOutput(&line, usage.Get("total_tokens").Int())
	return line
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
