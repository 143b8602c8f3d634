package mock

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// harm is what the mock takes offence at: a text that has the word is flagged, nothing else is.
const harm = "violence"

// readModeration reads texts and images to be judged, which is free of charge.
func readModeration(r *request) (*ask, *refusal) {
	a := newAsk(r.body, r.doc.Get("model").Str)
	a.counts = true
	if a.model == "" {
		a.model = "omni-moderation-latest"
	}
	if isMissing(a.model) {
		return nil, unknownModel(a.model)
	}
	input := r.doc.Get("input")
	list := input.Array()
	switch {
	case input.Type == gjson.String && input.Str != "":
		a.script = []string{input.Str}
		return a, nil
	case !input.Exists():
		return nil, missing("input")
	case !input.IsArray() || len(list) == 0:
		return nil, invalid("input", "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
	}
	together := ""
	for _, one := range list {
		switch {
		case one.Type == gjson.String:
			a.script = append(a.script, one.Str)
		case one.Get("type").Str == "text":
			together += one.Get("text").Str + "\n"
		case one.Get("type").Str == "image_url":
			together += one.Get("image_url.url").Str + "\n"
		default:
			return nil, invalid("input", "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
		}
	}
	if together != "" { // parts are judged as one
		a.script = append(a.script, together)
	}
	return a, nil
}

var harms = [...]string{
	"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
	"self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
}

func writeModeration(dst []byte, a *ask, _ *answer) []byte {
	dst = appendID(append(dst, `{"id":"modr-`...), a.id, 24)
	dst = append(providers.AppendString(append(dst, `","model":`...), a.model), `,"results":[`...)
	for i, text := range a.script {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendVerdict(dst, strings.Contains(strings.ToLower(text), harm))
	}
	return append(dst, "]}"...)
}

func appendVerdict(dst []byte, bad bool) []byte {
	dst = strconv.AppendBool(append(dst, `{"flagged":`...), bad)
	each := func(name string, value func(is bool) string) {
		dst = append(append(append(dst, `,"`...), name...), `":{`...)
		for i, one := range harms {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(providers.AppendString(dst, one), ':'), value(bad && one == harm)...)
		}
		dst = append(dst, '}')
	}
	each("categories", strconv.FormatBool)
	each("category_scores", func(is bool) string {
		if is {
			return "0.99"
		}
		return "0.0001"
	})
	each("category_applied_input_types", func(bool) string { return `["text"]` })
	return append(dst, '}')
}
