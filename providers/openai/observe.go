package openai

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// doneMark ends a stream of this language.
var doneMark = []byte("[DONE]")

// The names are looked for with their quotes: inside a JSON string a quote is escaped, so a
// match is always a whole token.
var (
	nameChoices  = []byte(`"choices"`)
	nameUsage    = []byte(`"usage"`)
	nameError    = []byte(`"error"`)
	nameFinish   = []byte(`"finish_reason"`)
	nameContent  = []byte(`"content"`)
	nameText     = []byte(`"text"`)
	nameRefusal  = []byte(`"refusal"`)
	nameReason   = []byte(`"reasoning"`)
	nameReasonC  = []byte(`"reasoning_content"`)
	nameDetails  = []byte(`"reasoning_details"`)
	nameSummary  = []byte(`"summary"`)
	nameArgs     = []byte(`"arguments"`)
	nameInput    = []byte(`"input"`)
	nameName     = []byte(`"name"`)
	nameCalls    = []byte(`"tool_calls"`)
	nameCall     = []byte(`"function_call"`)
	nameAudio    = []byte(`"audio"`)
	nameImages   = []byte(`"images"`)
	nameScript   = []byte(`"transcript"`)
	nameThinking = []byte(`"thinking"`)
)

// Observe implements providers.Dialect for chunks and whole replies of chat, completions and
// embeddings. It allocates nothing for a chunk that carries only content.
func (Dialect) Observe(frame []byte) providers.Seen {
	var seen providers.Seen
	if len(frame) == 0 || frame[0] != '{' {
		frame = bytes.TrimSpace(frame)
		if bytes.Equal(frame, doneMark) {
			seen.End = true
			return seen
		}
	}
	if i := bytes.Index(frame, nameChoices); i >= 0 {
		choices := frame[i:]
		seen.Content = visible(choices)
		seen.Finish = lastWord(choices, nameFinish)
	}
	if hasObject(frame, nameUsage) {
		observeUsage(&seen, frame)
	}
	if hasError(frame) {
		seen.Fault = streamFault(frame)
	}
	return seen
}

// visible counts the bytes of what the client will see: text, reasoning, refusals, names and
// arguments of calls. Media count as one, since their bytes are no text.
func visible(b []byte) int {
	n := length(b, nameContent) + length(b, nameText) + length(b, nameRefusal)
	n += max(length(b, nameReasonC), length(b, nameReason))
	if bytes.Contains(b, nameCalls) || bytes.Contains(b, nameCall) {
		n += length(b, nameArgs) + length(b, nameName) + length(b, nameInput)
	}
	if n == 0 && bytes.Contains(b, nameDetails) {
		n = length(b, nameSummary)
	}
	if n == 0 && bytes.Contains(b, nameThinking) {
		n = length(b, nameThinking)
	}
	if bytes.Contains(b, nameAudio) {
		n += length(b, nameScript)
	}
	if n == 0 && (hasObject(b, nameAudio) || hasList(b, nameImages)) {
		n = 1
	}
	return n
}

// length sums the bytes of the string values of a member's name, wherever it stands.
func length(b, name []byte) int {
	n := 0
	for {
		value := after(b, name)
		if value == nil {
			return n
		}
		if len(value) > 0 && value[0] == '"' {
			end := closing(value)
			n += end - 1
			value = value[end:]
		}
		b = value
	}
}

// after gives the bytes from the value of the next member of that name, nil where none is left.
func after(b, name []byte) []byte {
	for {
		i := bytes.Index(b, name)
		if i < 0 {
			return nil
		}
		b = b[i+len(name):]
		k := blank(b)
		if k < len(b) && b[k] == ':' {
			b = b[k+1:]
			return b[blank(b):]
		}
	}
}

func blank(b []byte) int {
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// closing gives the place of the quote that ends the string b begins with.
func closing(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(b)
}

// lastWord gives the last string value of a member.
func lastWord(b, name []byte) string {
	var word []byte
	for b = after(b, name); b != nil; b = after(b, name) {
		if len(b) > 0 && b[0] == '"' {
			word = b[1:closing(b)]
		}
	}
	return finishName(word)
}

// finishName spares the words of every day an allocation.
func finishName(word []byte) string {
	switch string(word) {
	case "":
		return ""
	case "stop":
		return "stop"
	case "length":
		return "length"
	case "tool_calls":
		return "tool_calls"
	case "content_filter":
		return "content_filter"
	}
	return string(word)
}

func hasObject(b, name []byte) bool { return begins(b, name, '{') }

func hasList(b, name []byte) bool { return begins(b, name, '[') }

func begins(b, name []byte, with byte) bool {
	for b = after(b, name); b != nil; b = after(b, name) {
		if len(b) > 0 && b[0] == with {
			return true
		}
	}
	return false
}

// hasError looks for an error that is an object or a text. Most frames have no such name.
func hasError(b []byte) bool {
	for b = after(b, nameError); b != nil; b = after(b, nameError) {
		if len(b) > 0 && (b[0] == '{' || b[0] == '"') {
			return true
		}
	}
	return false
}

func observeUsage(seen *providers.Seen, frame []byte) {
	if !valid(frame) {
		return
	}
	root := gjson.ParseBytes(frame)
	usage, ok := readUsage(root)
	if !ok {
		return
	}
	seen.HasUsage, seen.Usage = true, usage
	choices := root.Get("choices")
	seen.UsageOnly = choices.IsArray() && len(choices.Array()) == 0
}

// streamFault reads an error that stands in a stream, or under a 200: at the top of the frame
// or in a provider's own place.
func streamFault(frame []byte) *providers.Fault {
	if !valid(frame) {
		return nil
	}
	root := gjson.ParseBytes(frame)
	e := root.Get("error")
	for _, path := range []string{"x_groq.error", "choices.0.error"} { // Groq, OpenRouter
		if !e.IsObject() && e.Str == "" {
			e = root.Get(path)
		}
	}
	if !e.IsObject() && e.Str == "" {
		return nil
	}
	status := int(e.Get("status_code").Int())
	if status == 0 {
		status = int(e.Get("code").Int())
	}
	if status < 400 || status > 599 {
		status = 502
	}
	return fault(status, nil, frame, e)
}
