package anthropic

import "github.com/aistrale/aistrale/providers"

// words says where Messages has the parameters that operators set in OpenAI's words.
func words() map[string]providers.Word {
	return map[string]providers.Word{
		"max_tokens":            {Path: "max_tokens"},
		"max_completion_tokens": {Path: "max_tokens"},
		"temperature":           {Path: "temperature"},
		"top_p":                 {Path: "top_p"},
		"top_k":                 {Path: "top_k"},
		"stop":                  {Path: "stop_sequences", List: true},
		"reasoning_effort":      {Path: "output_config.effort"},
		"user":                  {Path: "metadata.user_id"},
		"safety_identifier":     {Path: "metadata.user_id"},

		// Nothing is stored, and what is cached is said in other ways.
		"store":                  {},
		"metadata":               {},
		"prompt_cache_key":       {},
		"prompt_cache_retention": {},
	}
}

// countWords are the parameters that do not change what a prompt counts.
func countWords() map[string]providers.Word {
	none := words()
	none["extra_body"] = providers.Word{}
	for name := range none {
		none[name] = providers.Word{}
	}
	return none
}
