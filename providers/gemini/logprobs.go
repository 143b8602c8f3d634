package gemini

import "github.com/tidwall/gjson"

// appendLogprobs says a logprobsResult in OpenAI's form, {"content":[…]}, behind what earlier
// frames said.
// Source: https://ai.google.dev/api/generate-content#LogprobsResult
func appendLogprobs(have []byte, result gjson.Result) []byte {
	w := body{b: have}
	if len(have) == 0 {
		w.open('{')
		w.key("content")
		w.open('[')
	} else {
		w.b = w.b[:len(w.b)-2] // its end
	}
	top := result.Get("topCandidates").Array()
	for i, chosen := range result.Get("chosenCandidates").Array() {
		w.open('{')
		w.token(chosen)
		w.key("top_logprobs")
		w.open('[')
		if i < len(top) {
			top[i].Get("candidates").ForEach(func(_, v gjson.Result) bool {
				w.open('{')
				w.token(v)
				w.shut('}')
				return true
			})
		}
		w.shut(']')
		w.shut('}')
	}
	w.shut(']')
	w.shut('}')
	return w.b
}

func (w *body) token(v gjson.Result) {
	token := v.Get("token").Str
	w.field("token", token)
	w.rawField("logprob", decimal(v.Get("logProbability").Num))
	w.key("bytes")
	w.open('[')
	for i := range len(token) {
		w.raw(number(int64(token[i])))
	}
	w.shut(']')
}
