package openai

import (
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Owner says whose field a top-level name is that the hub has no word for; "" is unknown. A
// dialect serves a field by its owner only, so that a name made up of others' (a dot in a
// member's name) is nobody's.
func Owner(name string) string {
	switch name {
	case "audio", "logit_bias", "modalities", "moderation", "prediction", "prompt_cache_key", "prompt_cache_options",
		"prompt_cache_retention", "store", "verbosity", "web_search_options":
		return Language
	case "cache_control", "container", "context_management", "fallbacks", "inference_geo", "mcp_servers", "output_config", "speed", "thinking":
		return "anthropic"
	case "cached_content", "cachedContent", "generation_config", "generationConfig", "image_config", "imageConfig", "labels",
		"media_resolution", "mediaResolution", "response_modalities", "responseModalities", "safety_settings", "safetySettings",
		"speech_config", "speechConfig", "thinking_config", "thinkingConfig":
		return "gemini"
	}
	return ""
}

// extra keeps a field that the hub has no word for.
func (r *reader) extra(name string, raw []byte) error {
	if name == "extra_body" {
		return r.extraBody(raw)
	}
	r.keep(Owner(name), name, raw)
	return nil
}

func (r *reader) keep(owner, name string, raw []byte) {
	r.req.Extras = append(r.req.Extras, providers.Extra{Owner: owner, Name: name, Value: clone(raw)})
}

// extraBody reads the object that Google's compatible endpoint takes its own fields in
// (extra_body.google.thinking_config); anthropic's stand there by the same rule.
func (r *reader) extraBody(raw []byte) error {
	var top members
	if err := Unmarshal("extra_body", raw, &top); err != nil {
		return err
	}
	for _, f := range top {
		if isNull(f.value) {
			continue
		}
		whose := map[string]string{"google": "gemini", "gemini": "gemini", "anthropic": "anthropic", "openai": Language}[f.name]
		path := "extra_body." + f.name
		if whose == "" || f.value[0] != '{' {
			r.keep(Owner(f.name), path, f.value)
			continue
		}
		var inner members
		if err := Unmarshal(path, f.value, &inner); err != nil {
			return err
		}
		for _, g := range inner {
			if !isNull(g.value) {
				r.keep(whose, path+"."+g.name, g.value)
			}
		}
	}
	return nil
}

func (r *reader) reasoningField(name string, raw []byte) error {
	ask := &r.req.Reasoning
	switch name {
	case "reasoning_effort":
		return Unmarshal(name, raw, &ask.Effort)
	case "include_reasoning": // OpenRouter, Groq
		return Unmarshal(name, raw, &ask.Show)
	case "reasoning":
		return r.openRouterReasoning(raw)
	case "thinking":
		return r.thinking(raw)
	}
	var format string // Groq: hidden, raw, parsed
	if err := Unmarshal(name, raw, &format); err != nil {
		return err
	}
	show := !strings.EqualFold(format, "hidden")
	ask.Show = &show
	r.keep("", name, raw)
	return nil
}

// openRouterReasoning reads OpenRouter's reasoning object.
// Source: https://openrouter.ai/docs/use-cases/reasoning-tokens
func (r *reader) openRouterReasoning(raw []byte) error {
	var said struct {
		Effort    *string `json:"effort"`
		MaxTokens *int64  `json:"max_tokens"`
		Exclude   *bool   `json:"exclude"`
		Enabled   *bool   `json:"enabled"`
	}
	if err := Unmarshal("reasoning", raw, &said); err != nil {
		return err
	}
	ask := &r.req.Reasoning
	if said.Effort != nil {
		ask.Effort = *said.Effort
	}
	if said.MaxTokens != nil {
		ask.Budget = said.MaxTokens
	}
	if said.Exclude != nil {
		show := !*said.Exclude
		ask.Show = &show
	}
	switch {
	case said.Enabled == nil:
	case !*said.Enabled:
		ask.Effort, ask.Budget = "none", nil
	case ask.Effort == "" && ask.Budget == nil:
		ask.Effort = "medium" // OpenRouter's documented meaning of enabled alone
	}
	return nil
}

// thinking reads Anthropic's field, which its compatible endpoint takes here too. It is kept
// as it came as well: its owner gets it word for word, but for DeepSeek's, which has no budget.
func (r *reader) thinking(raw []byte) error {
	var said struct {
		Type   looseString `json:"type"`
		Budget *int64      `json:"budget_tokens"`
		Shown  looseString `json:"display"`
	}
	if err := Unmarshal("thinking", raw, &said); err != nil {
		return err
	}
	ask := &r.req.Reasoning
	switch {
	case said.Type == "disabled":
		ask.Effort = "none"
	case said.Budget != nil:
		ask.Budget = said.Budget
	case said.Type == "enabled":
		if ask.Effort == "" {
			ask.Effort = "medium"
		}
		return nil
	}
	if said.Shown == "omitted" || said.Shown == "summarized" {
		show := said.Shown == "summarized"
		ask.Show = &show
	}
	r.keep("anthropic", "thinking", raw)
	return nil
}
