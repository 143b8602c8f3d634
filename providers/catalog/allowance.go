package catalog

import "strings"

// Allowance is what a provider adds to a request's own tokens, in tokens and at most: its
// templates, its prompts for the use of tools, and what media are worth.
type Allowance struct {
	Request int64 // once
	Message int64 // for each message
	Tools   int64 // once, where the request has any tools
	Tool    int64 // for each tool
	Image   int64 // for each image, whatever its size
	Made    int64 // for each image that is made, whatever its size; 0 nobody knows
	// Open is set where the model is a system that reads more than it is sent: searches, other
	// models' answers.
	Open bool
}

// What the providers of the table below add, with a margin. In recorded traffic, the tokens
// that were billed beyond the bytes of the request's body are at most: anthropic 285, with one
// tool (its documentation says 530 for the prompt alone, of newer models more); llama-4 on groq
// 360, with one tool; grok-4 494, with none. openai, gemini and mistral bill fewer tokens than
// bytes, always.
const (
	littleHidden = 128
	muchHidden   = 1024
)

// AllowanceFor gives the allowance of a provider's model. Of one that nobody described it is
// the largest of those that are known.
func AllowanceFor(provider, model string) Allowance {
	provider, model = maker(provider, model)
	a := Allowance{Request: muchHidden, Message: 8, Tools: muchHidden, Tool: 32, Image: imageUnknown}
	switch provider {
	case "openai", "gemini", "mistral":
		a.Request, a.Tools = littleHidden, littleHidden
	case "anthropic", "cerebras", "deepseek", "fireworks", "groq", "huggingface", "perplexity", "together", mockName:
		a.Request = littleHidden
	}
	a.Open = reads(model)
	switch provider {
	case "openai":
		a.Image, a.Made = openAIImage(model), openAIMade(model)
	case "anthropic":
		// Width times height over 750, of 3.75 megapixels at most.
		// Source: https://platform.claude.com/docs/en/build-with-claude/vision
		a.Image = 5_000
	case "gemini":
		// 258 for a tile of 768 pixels, in 3072 by 3072, and the whole once more.
		// Source: https://ai.google.dev/gemini-api/docs/tokens
		a.Image = 17 * 258
	case "groq":
		a.Image = 6_500 // https://console.groq.com/docs/vision
	case mockName:
		a.Image = 1_000
	}
	return a
}

// reads reports a system by its name: Groq's compound ones, Perplexity's research, OpenAI's
// search models, and any model of OpenRouter's with the search switched on.
func reads(model string) bool {
	return strings.Contains(model, "compound") || strings.Contains(model, "deep-research") ||
		strings.Contains(model, "search-preview") || strings.Contains(model, "search-api") || strings.HasSuffix(model, ":online")
}

// imageUnknown is an image's worth to the dearest model there is, since an aggregator may have
// it behind any name.
const imageUnknown = 2_833 + 8*5_667

// openAIMade is an image of the highest quality and of the largest size, and three that are shown
// on the way to it.
// Source: https://platform.openai.com/docs/guides/image-generation#cost-and-latency
func openAIMade(model string) int64 {
	for _, prefix := range [...]string{"gpt-image-1-", "gpt-image-1.5"} {
		if model == "gpt-image-1" || strings.HasPrefix(model, prefix) {
			return 6_240 + 3*100
		}
	}
	return 0
}

// openAIImage counts tiles for some models, 8 at most, and for others patches of 32 pixels,
// times a factor of up to 2.46.
// Source: https://platform.openai.com/docs/guides/images-vision#calculating-costs
func openAIImage(model string) int64 {
	has := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(model, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("gpt-4o-mini"):
		return imageUnknown
	case has("gpt-4.1-mini", "gpt-4.1-nano", "o4-mini", "gpt-5-mini", "gpt-5-nano"):
		return 1_536 * 246 / 100
	case has("gpt-4o", "gpt-4.1", "gpt-4-turbo", "gpt-4-vision", "o1", "o3"):
		return 85 + 8*170
	}
	return 10_000 * 246 / 100 // the original detail of newer models has up to 10,000 patches
}
