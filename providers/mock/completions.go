package mock

import (
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// readCompletions reads a request of OpenAI's older API of prompts and texts.
// Source: https://platform.openai.com/docs/api-reference/completions/create
func readCompletions(r *request) (*ask, *refusal) {
	c := chatReader{ask: newAsk(r.body, "")}
	a := c.ask
	a.most = 16 // where nothing else is said
	refused := r.fields(func(name string, v gjson.Result) *refusal {
		switch name {
		case "model", "stream", "stream_options", "temperature", "top_p", "max_tokens", "n", "presence_penalty", "frequency_penalty":
			return c.field(name, v)
		}
		return nil
	})
	prompt := r.doc.Get("prompt")
	switch {
	case refused != nil:
		return nil, refused
	case a.model == "":
		return nil, invalid("", "you must provide a model parameter")
	case isMissing(a.model):
		return nil, unknownModel(a.model)
	case c.options && !a.stream:
		return nil, invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	a.prompts = 1
	switch {
	case prompt.Type == gjson.String:
		a.user = prompt.Str
	case prompt.IsArray():
		list := prompt.Array()
		if len(list) == 0 {
			return nil, invalid("prompt", "Invalid 'prompt': empty array. Expected an array with minimum length 1, but got an empty array instead.").withCode("empty_array")
		}
		a.user = list[0].Str
		if list[0].Type != gjson.Number { // else one prompt of tokens
			a.prompts = len(list)
			if a.texts() > maxTexts {
				return nil, invalid("prompt", fmt.Sprintf("Invalid 'prompt': array too long. Expected an array with maximum length %d, but got an array with length %d instead.", maxTexts/a.n, len(list))).withCode("array_above_max_length")
			}
		}
	case prompt.Exists() && prompt.Type != gjson.Null:
		return nil, wrongType("prompt", "one of a string or array", prompt)
	}
	return a, nil
}

// maxTexts bounds the prompts times the choices of one request.
const maxTexts = 2048

func (a *ask) texts() int { return a.n * max(a.prompts, 1) }

func writeCompletions(dst []byte, a *ask, ans *answer) []byte {
	dst = append(appendCompletion(dst, ans), `,"model":`...)
	dst = append(providers.AppendString(dst, a.model), `,"choices":[`...)
	for i := range a.texts() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"text":`...)
		dst = appendText(dst, i, plainText(ans), chatFinish(ans.finish))
	}
	dst = appendChatUsage(append(dst, `],"usage":`...), ans.usage)
	return append(dst, '}')
}

func plainText(ans *answer) string {
	text := ""
	for i := range ans.blocks {
		if ans.blocks[i].kind != kindThinking {
			text += ans.blocks[i].text()
		}
	}
	return text
}

func appendCompletion(dst []byte, ans *answer) []byte {
	dst = appendID(append(dst, `{"id":"cmpl-`...), ans.id, 29)
	return append(dst, `","object":"text_completion","created":`+created...)
}

// appendText appends a choice from the value of its text on; a reason of "" is null.
func appendText(dst []byte, index int, text, reason string) []byte {
	dst = providers.AppendString(dst, text)
	dst = strconv.AppendInt(append(dst, `,"index":`...), int64(index), 10)
	dst = appendOrNull(append(dst, `,"logprobs":null,"finish_reason":`...), reason)
	return append(dst, '}')
}

func filmCompletions(f *film, a *ask, ans *answer) {
	suffix := append(providers.AppendString([]byte(`],"model":`), a.model), '}', '\n', '\n')
	usage := suffix
	if a.includeUsage {
		usage = append(suffix[:len(suffix)-3:len(suffix)-3], `,"usage":null}`+"\n\n"...)
	}
	chunk := func(index int, text, reason string) {
		f.event = append(appendCompletion(append(f.event, "data: "...), ans), `,"choices":[{"text":`...)
		f.event = append(appendText(f.event, index, text, reason), usage...)
	}
	for i := range a.texts() {
		for j := range ans.blocks {
			b := &ans.blocks[j]
			if b.kind == kindThinking {
				f.pieces += int64(len(b.pieces))
				continue
			}
			for _, piece := range b.pieces {
				chunk(i, piece, "")
				f.endContent(1)
			}
		}
		chunk(i, "", chatFinish(ans.finish))
		f.end()
	}
	if a.includeUsage {
		f.event = append(appendCompletion(append(f.event, "data: "...), ans), `,"choices":[`...)
		f.event = append(f.event, suffix[:len(suffix)-3]...)
		f.event = append(appendChatUsage(append(f.event, `,"usage":`...), ans.usage), "}\n\n"...)
		f.end()
	}
	f.event = append(f.event, "data: [DONE]\n\n"...)
	f.end()
}
