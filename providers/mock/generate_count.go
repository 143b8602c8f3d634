package mock

// readCount reads Gemini's countTokens: contents alone, or a whole request in a member of its own.
// Source: https://ai.google.dev/api/tokens#method:-models.counttokens
func readCount(r *request) (*ask, *refusal) {
	inner := either(r.doc, "generateContentRequest", "generate_content_request")
	if inner.Exists() {
		if m := inner.Get("model").Str; m != "models/"+r.model {
			return nil, invalidf("* CountTokensRequest.generate_content_request.model: the model must match the model in the request's path\n")
		}
	} else {
		inner = r.doc
		for _, name := range []string{"tools", "systemInstruction", "generationConfig", "toolConfig"} {
			if r.doc.Get(name).Exists() {
				return nil, unknownName(name, "")
			}
		}
	}
	a, refused := readGenerate(&request{body: r.body, doc: inner, model: r.model})
	if refused != nil {
		return nil, refused
	}
	a.counts = true
	return a, nil
}

func writeCount(dst []byte, _ *ask, ans *answer) []byte {
	dst = number(dst, `{"totalTokens": `, ans.usage.input)
	dst = number(dst, `,"promptTokensDetails": [{"modality": "TEXT","tokenCount": `, ans.usage.input)
	return append(dst, "}]}"...)
}
