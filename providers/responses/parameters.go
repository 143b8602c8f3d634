package responses

import "github.com/aistrale/aistrale/providers"

// parameters says where a response's request has the parameters that operators set in the words of
// OpenAI's chat.
func parameters() map[string]providers.Word {
	list := map[string]providers.Word{
		"max_tokens":            {Path: "max_output_tokens"},
		"max_completion_tokens": {Path: "max_output_tokens"},
		"reasoning_effort":      {Path: "reasoning.effort"},
		"verbosity":             {Path: "text.verbosity"},
	}
	for _, name := range []string{
		"temperature", "top_p", "top_logprobs", "parallel_tool_calls", "service_tier", "store", "metadata", "user",
		"safety_identifier", "prompt_cache_key", "prompt_cache_retention",
	} {
		list[name] = providers.Word{Path: name}
	}
	return list
}
