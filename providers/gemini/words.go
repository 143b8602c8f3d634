package gemini

import "github.com/aistrale/aistrale/providers"

// words says where generateContent has the parameters that operators set in OpenAI's words.
func words() map[string]providers.Word {
	return map[string]providers.Word{
		"max_tokens":            {Path: "generationConfig.maxOutputTokens"},
		"max_completion_tokens": {Path: "generationConfig.maxOutputTokens"},
		"temperature":           {Path: "generationConfig.temperature"},
		"top_p":                 {Path: "generationConfig.topP"},
		"top_k":                 {Path: "generationConfig.topK"},
		"stop":                  {Path: "generationConfig.stopSequences", List: true},
		"seed":                  {Path: "generationConfig.seed"},
		"n":                     {Path: "generationConfig.candidateCount"},
		"presence_penalty":      {Path: "generationConfig.presencePenalty"},
		"frequency_penalty":     {Path: "generationConfig.frequencyPenalty"},
		"logprobs":              {Path: "generationConfig.responseLogprobs"},
		"top_logprobs":          {Path: "generationConfig.logprobs"},

		// Nothing is stored, and what is cached is said in other ways.
		"store":                  {},
		"metadata":               {},
		"prompt_cache_key":       {},
		"prompt_cache_retention": {},
	}
}
