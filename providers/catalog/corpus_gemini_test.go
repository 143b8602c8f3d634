package catalog_test

import "github.com/aistrale/aistrale/providers"

// readGemini reads a GenerateContentResponse or a stream of them.
// Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
func readGemini(events []string) (*told, bool) {
	w, usage, blocked := newTold(), object{}, false
	w.ended = true
	for _, data := range events {
		o := parse(data)
		if o == nil {
			return nil, false
		}
		if o["error"] != nil {
			w.fault = &providers.Fault{}
			return w, true
		}
		blocked = blocked || sub(o["promptFeedback"])["blockReason"] != nil
		for k, v := range sub(o["usageMetadata"]) {
			usage[k] = v
		}
		for _, v := range list(o["candidates"]) {
			candidate := sub(v)
			if candidate["finishReason"] == nil && sub(candidate["content"])["parts"] == nil {
				continue
			}
			c := w.choice(int(count(candidate["index"])))
			for _, part := range list(sub(candidate["content"])["parts"]) {
				if !c.geminiPart(sub(part)) {
					return nil, false
				}
			}
			for _, chunk := range list(sub(candidate["groundingMetadata"])["groundingChunks"]) {
				if uri := str(sub(sub(chunk)["web"])["uri"]); uri != "" {
					c.urls = append(c.urls, uri)
				}
			}
			switch reason := candidate["finishReason"].(type) {
			case string:
				c.native = reason
			case float64:
				return nil, false // the recorded client asked for enums as numbers
			}
		}
	}
	if len(w.choices) == 0 {
		if !blocked {
			return nil, false
		}
		w.choice(0).finish = []providers.Finish{providers.FinishContentFilter}
	}
	for _, c := range w.choices {
		w.ended = w.ended && (c.native != "" || blocked)
		if c.finish == nil {
			c.finish = c.geminiFinish()
		}
	}
	w.geminiUsage(usage)
	return w, true
}

// geminiPart adds a part; false for arguments in pieces, which only some clients ask for.
func (c *toldChoice) geminiPart(p object) bool {
	c.loose = c.loose || p["executableCode"] != nil || p["codeExecutionResult"] != nil
	if s := str(p["thoughtSignature"]); s != "" && (p["text"] != nil || p["functionCall"] != nil) {
		c.seals = append(c.seals, s) // those on code belong to the provider's own turn
	}
	if call := sub(p["functionCall"]); call != nil {
		if str(call["name"]) == "" || call["partialArgs"] != nil || call["willContinue"] != nil {
			return false
		}
		args := "{}"
		if call["args"] != nil {
			args = text(call["args"])
		}
		c.calls = append(c.calls, toldCall{id: str(call["id"]), name: str(call["name"]), args: args})
	}
	if data := str(sub(p["inlineData"])["data"]); data != "" {
		c.media = append(c.media, data)
	}
	switch said := str(p["text"]); {
	case p["thought"] == true:
		c.reasoning += said
	case said != "":
		c.text += said
		c.segs = append(c.segs, said)
	}
	return true
}

func (c *toldChoice) geminiFinish() []providers.Finish {
	switch c.native {
	case "STOP":
		if len(c.calls) > 0 {
			return []providers.Finish{providers.FinishToolCalls}
		}
		return []providers.Finish{providers.FinishStop}
	case "MAX_TOKENS":
		return []providers.Finish{providers.FinishLength}
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY":
		return []providers.Finish{providers.FinishContentFilter}
	}
	return nil
}

func (w *told) geminiUsage(u object) {
	if u["promptTokenCount"] == nil {
		return
	}
	thoughts := count(u["thoughtsTokenCount"])
	w.usage = &toldUsage{
		input:  count(u["promptTokenCount"]) + count(u["toolUsePromptTokenCount"]),
		output: count(u["candidatesTokenCount"]) + thoughts, cached: count(u["cachedContentTokenCount"]), reasoning: thoughts,
	}
}
