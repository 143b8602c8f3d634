package policy

import (
	"bytes"

	"github.com/aistrale/aistrale/providers"
)

// The weights of an estimate, in hundredths of a token: what tokenizers make of it on average.
const (
	weightLetter  = 25  // a byte of a word, or a blank
	weightMark    = 40  // a digit or a mark
	weightTwo     = 50  // a character of two bytes: accents, Greek, Cyrillic, Arabic
	weightWide    = 100 // one of three or four: Chinese, Japanese, Korean, emoji
	weightToken   = 100 // a token that the client made itself
	weightMessage = 400 // what frames a message
	weightMedia   = 765_00
	weightLow     = 85_00 // an image that is to be looked at coarsely
)

// Estimates are a tenth above the average: they stand in where nobody said.
const marginPercent = 110

// EstimateOutput guesses the tokens of so many bytes of text.
func EstimateOutput(contentBytes int64) int64 {
	const most = 1 << 50 // beyond any reply
	return tokens(max(0, min(contentBytes, most)) * weightLetter)
}

// EstimateInput guesses the tokens of a request's body by its text: of the messages the values,
// of tools and schemas the names too, and for an image, a sound or a file one number, whatever
// its size. It takes any language's body, and bytes that are no JSON.
func EstimateInput(body []byte) int64 {
	e := estimate{body: body}
	for i := 0; i < len(body); {
		i = e.next(i)
	}
	media := e.media*weightMedia - min(e.low, e.media)*(weightMedia-weightLow)
	return min(tokens(e.text+e.messages*weightMessage), int64(len(body))) + tokens(media)
}

func tokens(hundredths int64) int64 { return (hundredths*marginPercent + 9_999) / 10_000 }

// estimate is a walk over a body.
type estimate struct {
	body  []byte
	depth int
	part  part
	// key is the last name that was passed, and owner the one of the object it stands in.
	key, owner []byte

	text                 int64 // hundredths of tokens
	messages, media, low int64
}

// part is what a member of the body means for the model.
type part uint8

const (
	partWords  part = iota // messages and instructions
	partTokens             // words, or numbers that are tokens already
	partSchema             // tools and formats, of which the model is told all
	partSilent             // nothing that the model sees
)

func partOf(member []byte) part {
	switch string(member) {
	case "input", "prompt":
		return partTokens
	case "tools", "functions", "response_format", "text", "generationConfig", "output_config", "output_format":
		return partSchema
	case "model", "user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "stop", "stop_sequences",
		"encoding_format", "include", "labels", "betas":
		return partSilent
	}
	return partWords
}

// next takes what begins at i and gives the place behind it.
func (e *estimate) next(i int) int {
	switch c := e.body[i]; {
	case c == '"':
		end := providers.StringEnd(e.body, i)
		s := e.body[i+1 : max(i+1, end)]
		if at := providers.SkipSpace(e.body, min(end+1, len(e.body))); at < len(e.body) && e.body[at] == ':' {
			e.name(s)
			return at + 1
		}
		e.value(s)
		return end + 1
	case c == '{':
		e.depth++
		e.owner = e.key
	case c == '[':
		e.depth++
	case c == '}' || c == ']':
		e.depth--
	case c >= '0' && c <= '9' && e.part == partTokens && e.depth > 1:
		e.text += weightToken
		return providers.PastValue(e.body, i)
	}
	return i + 1
}

func (e *estimate) name(key []byte) {
	e.key = key
	if e.depth <= 1 {
		e.part = partOf(key)
		return
	}
	switch {
	case e.part == partSilent:
	case e.part == partSchema:
		e.words(key)
		e.text += 2 * weightMark // what is between a name and its value
	case string(key) == "role":
		e.messages++
	case !framing(key):
		e.words(key) // of a tool's arguments or results
	}
}

// framing reports whether a name frames words of the client, and is no word itself.
func framing(key []byte) bool {
	switch string(key) {
	case "content", "type", "text", "parts", "id", "name", "input", "output", "arguments", "args", "function", "tool_calls",
		"tool_call_id", "tool_use_id", "call_id", "function_call", "functionCall", "functionResponse", "response", "result",
		"image_url", "url", "detail", "source", "data", "media_type", "mimeType", "mime_type", "inlineData", "inline_data",
		"fileData", "file_data", "file", "file_id", "fileUri", "file_uri", "filename", "input_audio", "format",
		"cache_control", "ttl", "thinking", "signature", "thoughtSignature", "thought_signature", "thought",
		"encrypted_content", "reasoning", "reasoning_content", "reasoning_details", "summary", "annotations", "citations":
		return true
	}
	return false
}

func (e *estimate) value(s []byte) {
	switch {
	case e.part == partSilent:
	case e.part == partSchema:
		e.words(s)
	case e.isMedia(s):
		e.media++
	default:
		switch string(e.key) {
		case "role", "type", "id", "tool_call_id", "tool_use_id", "call_id", "media_type", "mimeType", "mime_type", "format", "ttl",
			"signature", "thoughtSignature", "thought_signature", "encrypted_content":
		case "detail":
			if string(s) == "low" && string(e.owner) == "image_url" {
				e.low++
			}
		default:
			e.words(s)
		}
	}
}

// isMedia reports whether a string stands for an image, a sound or a file. Where words belong,
// even the text of such a thing is words.
func (e *estimate) isMedia(s []byte) bool {
	switch string(e.key) {
	case "text", "content", "arguments", "input", "prompt", "instructions", "system", "output", "thinking",
		"signature", "thoughtSignature", "thought_signature", "encrypted_content":
		return false
	case "file_id", "fileUri", "file_uri", "image_url":
		return true
	case "url":
		return string(e.owner) == "image_url" || string(e.owner) == "source" || string(e.owner) == "file"
	case "data", "file_data":
		return isBase64(s)
	}
	const long = 256
	return len(s) >= long && isBase64(s)
}

// isBase64 reports whether bytes are written in base64, alone or in a data URL.
func isBase64(s []byte) bool {
	if bytes.HasPrefix(s, []byte("data:")) {
		return true
	}
	for _, c := range s {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if !letter && c != '+' && c != '/' && c != '=' && c != '-' && c != '_' && c != '\\' { // \/ is /
			return false
		}
	}
	return len(s) > 0
}

// words weighs a JSON string's bytes.
func (e *estimate) words(s []byte) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z' || c == ' ':
			e.text += weightLetter
		case c == '\\' && i+5 < len(s) && s[i+1] == 'u':
			e.text += escapeWeight(s[i+2 : i+6])
			i += 5
		case c == '\\':
			e.text += weightMark
			i++
		case c < 0x80:
			e.text += weightMark
		case c >= 0xe0:
			e.text += weightWide
		case c >= 0xc0:
			e.text += weightTwo
		}
	}
}

// escapeWeight weighs a character by its four hexadecimal digits.
func escapeWeight(hex []byte) int64 {
	switch {
	case hex[0] != '0' || hex[1] > '7':
		return weightWide
	case hex[1] == '0' && hex[2] < '8':
		return weightMark
	}
	return weightTwo
}
