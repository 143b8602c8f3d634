package mock

import (
	"fmt"
	"strings"

	"github.com/tidwall/gjson"
)

// readGenerate reads a generateContent request, and refuses what Gemini refuses.
// Source: https://ai.google.dev/api/generate-content
func readGenerate(r *request) (*ask, *refusal) {
	g := generateReader{ask: newAsk(r.body, r.model)}
	if strings.HasSuffix(r.model, "-image") {
		g.ask.media = &media{modality: imageModality, format: "png"}
	}
	g.ask.stream = r.stream
	if refused := geminiModel(r.model, "generateContent"); refused != nil {
		return nil, refused
	}
	if refused := r.fields(g.field); refused != nil {
		return nil, refused
	}
	return g.ask, g.check()
}

type generateReader struct {
	ask      *ask
	contents gjson.Result
	mode     string   // of function calling
	allowed  []string // function names
}

// unknownName is how a protobuf API refuses a field.
func unknownName(name, at string) *refusal {
	where := ""
	if at != "" {
		where = " at '" + at + "'"
	}
	return invalid(at, fmt.Sprintf("Invalid JSON payload received. Unknown name \"%s\"%s: Cannot find field.", name, where))
}

func (g *generateReader) field(name string, v gjson.Result) *refusal {
	switch name {
	case "contents":
		g.contents = v
	case "tools":
		return g.tools(v)
	case "toolConfig", "tool_config":
		g.toolConfig(v)
	case "generationConfig", "generation_config":
		return g.config(v)
	case "systemInstruction", "system_instruction", "safetySettings", "safety_settings", "cachedContent", "cached_content",
		"model", "labels", "serviceTier", "service_tier", "store":
	default:
		return unknownName(name, "")
	}
	return nil
}

// either gives a member by its name in JSON, or in the protobuf.
func either(v gjson.Result, camel, snake string) gjson.Result {
	if one := v.Get(camel); one.Exists() {
		return one
	}
	return v.Get(snake)
}

func (g *generateReader) tools(v gjson.Result) *refusal {
	for i, one := range v.Array() {
		for j, f := range either(one, "functionDeclarations", "function_declarations").Array() {
			name := f.Get("name").Str
			if !isName(name) {
				return invalidf("* GenerateContentRequest.tools[%d].function_declarations[%d].name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n", i, j)
			}
			schema := either(f, "parametersJsonSchema", "parameters_json_schema")
			if schema.Exists() && f.Get("parameters").Exists() {
				return invalidf("* GenerateContentRequest.tools[%d].function_declarations[%d]: only one of parameters and parameters_json_schema may be set\n", i, j)
			}
			if !schema.Exists() {
				schema = f.Get("parameters")
				if extra := schema.Get("additionalProperties"); extra.Exists() {
					return unknownName("additionalProperties", fmt.Sprintf("tools[%d].function_declarations[%d].parameters", i, j))
				}
			}
			if _, twice := g.ask.tool(name); twice {
				return invalidf("Duplicate function declaration found: %s", name)
			}
			g.ask.tools = append(g.ask.tools, tool{name, schema})
		}
	}
	return nil
}

func (g *generateReader) toolConfig(v gjson.Result) {
	c := either(v, "functionCallingConfig", "function_calling_config")
	g.mode = c.Get("mode").Str
	for _, name := range either(c, "allowedFunctionNames", "allowed_function_names").Array() {
		g.allowed = append(g.allowed, name.Str)
	}
	switch g.mode {
	case "NONE":
		g.ask.choice = choiceNone
	case "ANY":
		g.ask.choice = choiceAny
		if len(g.allowed) > 0 {
			g.ask.forced = g.allowed[0]
		}
	}
}

func (g *generateReader) config(v gjson.Result) (refused *refusal) {
	a := g.ask
	v.ForEach(func(name, one gjson.Result) bool {
		switch name.Str {
		case "maxOutputTokens", "max_output_tokens":
			if a.most = one.Int(); a.most < 1 {
				refused = invalidf("* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive.\n")
			}
		case "temperature":
			if one.Num < 0 || one.Num > 2 {
				refused = invalidf("* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n")
			}
		case "candidateCount", "candidate_count":
			if one.Int() != 1 {
				refused = invalidf("Multiple candidates is not enabled for this model")
			}
		case "responseMimeType", "response_mime_type":
			a.json = one.Str == "application/json"
		case "responseSchema", "response_schema", "responseJsonSchema", "response_json_schema", "_responseJsonSchema":
			a.schema = one
		case "thinkingConfig", "thinking_config":
			refused = g.thinking(one)
		case "stopSequences", "stop_sequences":
			if len(one.Array()) > 5 {
				refused = invalidf("* GenerateContentRequest.generation_config.stop_sequences: at most 5 stop sequences are allowed.\n")
			}
		case "responseModalities", "response_modalities", "speechConfig", "speech_config", "imageConfig", "image_config":
			refused = g.media(name.Str, one)
		case "topP", "top_p", "topK", "top_k", "seed", "presencePenalty", "presence_penalty", "frequencyPenalty", "frequency_penalty",
			"responseLogprobs", "response_logprobs", "logprobs", "mediaResolution", "media_resolution", "enableEnhancedCivicAnswers",
			"routingConfig", "audioTimestamp":
		default:
			refused = unknownName(name.Str, "generation_config")
		}
		return refused == nil
	})
	if refused == nil && a.schema.Exists() && !a.json {
		return invalidf("* GenerateContentRequest.generation_config.response_schema: only allowed when response mime type is application/json\n")
	}
	return refused
}

func (g *generateReader) thinking(v gjson.Result) *refusal {
	budget := either(v, "thinkingBudget", "thinking_budget")
	level := either(v, "thinkingLevel", "thinking_level")
	if budget.Exists() && level.Exists() {
		return invalidf("You can only set only one of thinking budget and thinking level.")
	}
	g.ask.thinks = !budget.Exists() || budget.Int() != 0
	g.ask.hideThoughts = !either(v, "includeThoughts", "include_thoughts").Bool()
	return nil
}

func (g *generateReader) check() *refusal {
	a := g.ask
	switch {
	case !g.contents.Exists() || len(g.contents.Array()) == 0:
		return invalidf("* GenerateContentRequest.contents: contents is not specified\n")
	case g.mode != "" && len(a.tools) == 0:
		return invalidf("Function calling config is set without function_declarations.")
	case len(g.allowed) > 0 && g.mode != "ANY" && g.mode != "VALIDATED":
		return invalidf("allowed_function_names should only be set when function calling mode is ANY or VALIDATED.")
	}
	for _, name := range g.allowed {
		if _, ok := a.tool(name); !ok {
			return invalidf("* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: unknown function %s\n", name)
		}
	}
	return g.readContents()
}
