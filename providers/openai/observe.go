package openai

import (
	"bytes"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// doneMark ends a stream of this language.
var doneMark = []byte("[DONE]")

// Observe implements providers.Dialect for chunks and whole replies of chat, completions and
// embeddings. It allocates nothing for a chunk that carries only content.
func (Dialect) Observe(frame []byte) providers.Seen {
	var seen providers.Seen
	if len(frame) == 0 || frame[0] != '{' {
		if bytes.Equal(bytes.TrimSpace(frame), doneMark) {
			seen.End = true
			return seen
		}
	}
	s := sight{nested: len(frame) > 0 && frame[0] != '{'}
	s.look(frame)
	seen.Content, seen.Model = s.content(), s.model
	seen.Finish = providers.KnownWord(s.finish, "stop", "length", "tool_calls", "content_filter")
	if s.usage != nil {
		s.observeUsage(&seen, frame)
	}
	if s.heard() || s.made > 0 && len(s.kind) == 0 {
		s.observeUnits(&seen)
	}
	if s.fault {
		seen.Fault = streamFault(frame)
	}
	if s.last() {
		seen.Finish = "stop"
	}
	return seen
}

// sight is what one pass over a frame's member names finds. Nothing is parsed: inside a JSON
// string a quote is escaped, so going from quote to quote meets every name.
type sight struct {
	choices, calls, details bool // that member was passed
	list                    bool // of images or other things
	fault, media, pictures  bool
	breakdown, noChoices    bool
	nested                  bool   // what follows may be of something inside of the frame
	model                   []byte // with its quotes, where it stands before all that is nested
	usage                   []byte // from the usage object's brace on
	usages                  int
	finish, tier, kind      []byte
	text, call              int // bytes
	// made are images in a whole reply; length is that of the sound it is the transcript of.
	made   int64
	task   bool
	length []byte
	// summary counts what mostly repeats the rest, and counts where it stands alone.
	summary int
	// reasoning stands under two names, with some providers under both at once.
	reasoning, reasoningContent int
}

// last reports the last event of a sound, a transcript or an image, which has no other end mark.
// Source: https://platform.openai.com/docs/api-reference (audio and images streaming).
func (s *sight) last() bool {
	if s.choices || len(s.kind) == 0 {
		return false
	}
	switch string(s.kind) {
	case "speech.audio.done", "transcript.text.done", "image_generation.completed", "image_edit.completed",
		"transcription.done": // Mistral's
		return true
	}
	return false
}

func (s *sight) content() int {
	n := s.text + s.call + max(s.reasoning, s.reasoningContent)
	switch {
	case n > 0:
		return n
	case s.summary > 0:
		return s.summary
	case s.media:
		return 1 // an image's or a sound's bytes are no text
	}
	return 0
}

func (s *sight) look(b []byte) {
	for {
		i := bytes.IndexByte(b, '"')
		if i < 0 {
			return
		}
		b = b[i:]
		end := providers.StringEnd(b, 0)
		if end >= len(b) {
			return
		}
		name := b[1:end]
		b = b[end+1:]
		k := providers.SkipSpace(b, 0)
		if k >= len(b) || b[k] != ':' {
			continue // a value
		}
		b = b[k+1:]
		if b = b[providers.SkipSpace(b, 0):]; len(b) == 0 {
			return
		}
		if b[0] == '"' {
			end := providers.StringEnd(b, 0)
			if s.model == nil && !s.nested && end < len(b) && string(name) == "model" {
				s.model = b[:end+1]
			}
			s.word(name, b[1:end])
			b = b[min(end+1, len(b)):]
			continue
		}
		s.member(name, b)
	}
}

// word notes a member whose value is a string.
func (s *sight) word(name, value []byte) {
	if string(name) == "service_tier" {
		s.tier = value
		return
	}
	if !s.choices {
		if string(name) == "type" && s.kind == nil {
			s.kind = value
		}
		s.pictures = s.pictures || string(name) == "b64_json"
		if s.list && (string(name) == "b64_json" || string(name) == "url") {
			s.made++
		}
		s.task = s.task || string(name) == "task"
		if string(name) == "duration" && s.length == nil { // of servers that say it as a text
			s.length = value
		}
		s.fault = s.fault || len(value) > 0 && string(name) == "error"
		return
	}
	switch string(name) {
	case "content", "refusal", "transcript":
		s.text += len(value)
	case "text":
		if s.details { // says again what reasoning said
			s.summary += len(value)
		} else {
			s.text += len(value)
		}
	case "reasoning":
		s.reasoning += len(value)
	case "reasoning_content":
		s.reasoningContent += len(value)
	case "arguments", "input", "name":
		if s.calls {
			s.call += len(value)
		}
	case "summary", "thinking":
		s.summary += len(value)
	case "finish_reason":
		s.finish = value
	case "error":
		s.fault = s.fault || len(value) > 0
	}
}

// member notes a member whose value, which is no string, b begins with.
func (s *sight) member(name, b []byte) {
	object, list := b[0] == '{', b[0] == '['
	s.nested = s.nested || object || list
	switch string(name) {
	case "choices":
		s.choices = true
		rest := b[1:]
		rest = rest[providers.SkipSpace(rest, 0):]
		s.noChoices = list && len(rest) > 0 && rest[0] == ']'
	case "usage":
		if !object {
			return
		}
		if s.usages++; s.usage == nil || counts(b) {
			s.usage = b
		}
	case "data":
		s.list = s.list || list && !s.choices
	case "duration":
		if !s.choices && s.length == nil {
			s.length = b[:providers.PastValue(b, 0)]
		}
	case "usage_breakdown":
		s.breakdown = s.breakdown || object
	case "error":
		s.fault = s.fault || object
	case "tool_calls":
		s.calls = s.calls || list
	case "function_call":
		s.calls = s.calls || object
	case "reasoning_details":
		s.details = s.details || list
	case "images":
		s.media = s.media || list
	case "audio":
		s.media = s.media || object
	}
}

// observeUsage reads usage out of its own object: the rest of the frame is not parsed, but for
// the systems that tell usage apart by model.
func (s *sight) observeUsage(seen *providers.Seen, frame []byte) {
	seen.UsageOnly = s.noChoices
	if s.breakdown {
		if providers.ValidJSON(frame) {
			seen.Usage, seen.HasUsage = readUsage(gjson.ParseBytes(frame))
		}
		return
	}
	raw := s.usage[:providers.PastValue(s.usage, 0)]
	if !providers.ValidJSON(raw) {
		return
	}
	seen.HasUsage, seen.Usage.Raw = true, raw
	line := add(&seen.Usage, raw)
	if made, ok := line.Get(providers.OutputTotal); ok && s.pictures {
		line.Set(providers.ImagesOut, made)
	}
	switch {
	case len(s.tier) == 0:
	case s.usages == 1:
		line.Tier = providers.KnownWord(s.tier, "default", "on_demand")
	default: // another provider's usage stands inside, and may have a tier of its own
		if tier := gjson.GetBytes(frame, "service_tier"); tier.Type == gjson.String {
			line.Tier = tier.Str
		}
	}
}

// counts reports whether a usage object is one of this language: gateways hand on another
// provider's own beside it, inside a choice.
func counts(b []byte) bool {
	return bytes.Contains(b[:providers.PastValue(b, 0)], []byte(`"prompt_tokens"`))
}

// streamFault reads an error that stands in a stream, or under a 200: at the top of the frame
// or in a provider's own place.
func streamFault(frame []byte) *providers.Fault {
	if !providers.ValidJSON(frame) {
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
