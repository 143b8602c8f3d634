package catalog_test

import (
	"regexp"
	"slices"
	"strings"
)

const (
	generateTop    = `contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent serviceTier store labels`
	generateConfig = `candidateCount stopSequences maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty
		responseMimeType responseSchema responseJsonSchema responseModalities responseLogprobs logprobs enableEnhancedCivicAnswers
		speechConfig thinkingConfig mediaResolution imageConfig`
	generatePart   = `text inlineData fileData functionCall functionResponse thought thoughtSignature videoMetadata mediaResolution`
	generateSchema = `type format title description nullable enum maxItems minItems properties required minProperties maxProperties
		minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum`
)

var declarationName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$`)

// validGemini checks a generateContent request against the rules for which the API answers 400.
// Source: https://ai.google.dev/api/generate-content and /api/caching#Content
func validGemini(body object) []string {
	var f faults
	f.only("the body", body, generateTop)
	for _, p := range list(sub(body["systemInstruction"])["parts"]) {
		f.unless(str(sub(p)["text"]) != "", "a system part without text")
	}
	f.geminiTurns(list(body["contents"]))
	f.geminiTools(body)
	g := sub(body["generationConfig"])
	f.only("generationConfig", g, generateConfig)
	for _, k := range []string{"maxOutputTokens", "topK", "candidateCount", "seed"} {
		if n, ok := g[k].(float64); ok {
			f.unless(n == float64(int64(n)), "%s %v is not whole", k, n)
		}
	}
	if t, ok := g["temperature"].(float64); ok {
		f.unless(t >= 0 && t <= 2, "temperature %v", t)
	}
	f.unless(len(list(g["stopSequences"])) <= 5, "%d stop sequences", len(list(g["stopSequences"])))
	f.unless(g["responseSchema"] == nil || g["responseJsonSchema"] == nil, "two response schemas")
	if g["responseSchema"] != nil || g["responseJsonSchema"] != nil {
		f.unless(str(g["responseMimeType"]) == "application/json", "a schema with the type %q", g["responseMimeType"])
	}
	f.oldSchema("the response's schema", g["responseSchema"])
	return f
}

func (f *faults) geminiTurns(contents []any) {
	f.unless(len(contents) > 0, "no contents")
	var turns []object // the API joins neighbours of one role
	for n, v := range contents {
		c := sub(v)
		role := str(c["role"])
		f.unless(role == "user" || role == "model", "role %q", role)
		f.unless(len(list(c["parts"])) > 0, "content %d is empty", n)
		if len(turns) > 0 && str(turns[len(turns)-1]["role"]) == role {
			c = object{"role": role, "parts": append(list(turns[len(turns)-1]["parts"]), list(c["parts"])...)}
			turns = turns[:len(turns)-1]
		}
		turns = append(turns, c)
	}
	var calls []string
	for n, c := range turns {
		calls = f.geminiTurn(n, str(c["role"]), list(c["parts"]), calls)
	}
}

// geminiTurn checks a turn against the calls of the one before it, and gives its own.
func (f *faults) geminiTurn(n int, role string, parts []any, asked []string) (calls []string) {
	var answers []string
	for _, p := range parts {
		part := sub(p)
		f.geminiPart(n, part)
		if call := sub(part["functionCall"]); call != nil {
			f.unless(role == "model", "turn %d of %s calls", n, role)
			calls = append(calls, str(call["name"]))
		}
		if answer := sub(part["functionResponse"]); answer != nil {
			f.unless(role == "user" && sub(answer["response"]) != nil, "turn %d: %s", n, brief(text(answer)))
			answers = append(answers, str(answer["name"]))
		}
	}
	slices.Sort(answers)
	slices.Sort(asked)
	f.unless(slices.Equal(answers, asked), "turn %d answers %v where %v were called", n, answers, asked)
	return calls
}

func (f *faults) geminiPart(n int, part object) {
	f.only("a part", part, generatePart)
	kinds := 0
	for _, k := range []string{"text", "inlineData", "fileData", "functionCall", "functionResponse"} {
		if part[k] != nil {
			kinds++
		}
	}
	f.unless(kinds == 1, "turn %d: a part with %d kinds of data: %s", n, kinds, brief(text(part)))
	if media := sub(part["inlineData"]); media != nil {
		f.unless(str(media["mimeType"]) != "" && str(media["data"]) != "" && !strings.HasPrefix(str(media["data"]), "data:"), "turn %d: media %s", n, brief(text(media)))
	}
	if file := sub(part["fileData"]); file != nil {
		f.unless(str(file["fileUri"]) != "", "turn %d: a file without address", n)
	}
	if call := sub(part["functionCall"]); call != nil {
		f.unless(declarationName.MatchString(str(call["name"])) && (call["args"] == nil || sub(call["args"]) != nil), "turn %d: call %s", n, brief(text(call)))
	}
}

func (f *faults) geminiTools(body object) {
	names := map[string]bool{}
	for _, t := range list(body["tools"]) {
		f.unless(len(sub(t)) > 0, "an empty tool")
		for _, v := range list(sub(t)["functionDeclarations"]) {
			d := sub(v)
			f.only("a declaration", d, "name description parameters parametersJsonSchema response responseJsonSchema behavior")
			name := str(d["name"])
			f.unless(declarationName.MatchString(name) && !names[name], "the function's name %q", name)
			names[name] = true
			f.unless(d["parameters"] == nil || d["parametersJsonSchema"] == nil, "%s has two schemas", name)
			f.oldSchema(name, d["parameters"])
			if s := sub(d["parametersJsonSchema"]); s != nil {
				f.unless(str(s["type"]) == "object", "the schema of %s is no object", name)
			}
		}
	}
	config := sub(sub(body["toolConfig"])["functionCallingConfig"])
	if config == nil {
		return
	}
	mode := str(config["mode"])
	f.unless(slices.Contains([]string{"AUTO", "ANY", "NONE", "VALIDATED"}, mode), "mode %q", mode)
	f.unless(len(names) > 0, "toolConfig without declarations")
	for _, allowed := range list(config["allowedFunctionNames"]) {
		f.unless(names[str(allowed)] && (mode == "ANY" || mode == "VALIDATED"), "%v is allowed in mode %s", allowed, mode)
	}
}

// oldSchema checks the OpenAPI subset of models that take no JSON Schema.
func (f *faults) oldSchema(what string, schema any) {
	walkSchema(schema, func(s object) {
		f.only("the schema of "+what, s, generateSchema)
		f.unless(s["type"] == nil || str(s["type"]) != "", "%s: the type %v", what, s["type"])
		for _, e := range list(s["enum"]) {
			_, ok := e.(string)
			f.unless(ok, "%s: the enum value %v", what, e)
		}
		f.unless(!strings.EqualFold(str(s["type"]), "array") || sub(s["items"]) != nil, "%s: an array without items", what)
	})
}
