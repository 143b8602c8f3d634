package gemini

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// extras says the fields that only this language knows, and OpenAI's that it has a form of. The
// client's native words win over what was made of its neutral ones.
func (r *request) extras() error {
	for i := range r.req.Extras {
		e := &r.req.Extras[i]
		if !jsontext.Value(e.Value).IsValid() {
			return providers.Invalid(e.Name, "the field is not valid JSON")
		}
		taken, err := r.extra(e)
		if err != nil {
			return err
		}
		if !taken {
			r.drop(e.Name)
		}
	}
	for _, name := range r.req.Unread {
		r.drop(name)
	}
	return nil
}

// nativeFields are the members of the API's request that a client may write in its words.
func nativeFields() []string {
	return []string{
		"safetySettings", "cachedContent", "thinkingConfig", "speechConfig", "imageConfig", "responseModalities", "mediaResolution",
		"generationConfig",
	}
}

func (r *request) extra(e *providers.Extra) (bool, error) {
	switch e.Owner {
	case Language:
		return r.native(known(bare(e.Name), nativeFields()), e)
	case "openai":
		return r.openAI(e)
	case "":
		return e.Name == "reasoning_format", nil // Groq's; read as Reasoning.Show
	case "anthropic":
		// The reader has read thinking already.
		return e.Name == "thinking" && (r.req.Reasoning.Effort != "" || r.req.Reasoning.Budget != nil), nil
	}
	return false, nil
}

func (r *request) native(name string, e *providers.Extra) (bool, error) {
	value := gjson.ParseBytes(e.Value)
	switch name {
	case "safetySettings":
		if !value.IsArray() {
			return false, providers.Invalid(e.Name, "expected an array")
		}
		r.top.set(name, e.Value)
	case "cachedContent":
		if value.Type != gjson.String {
			return false, providers.Invalid(e.Name, "expected a string")
		}
		r.top.set(name, e.Value)
	case "thinkingConfig", "speechConfig", "imageConfig", "responseModalities", "mediaResolution":
		r.gen.set(name, e.Value)
	case "generationConfig":
		if !value.IsObject() {
			return false, providers.Invalid(e.Name, "expected an object")
		}
		value.ForEach(func(key, v gjson.Result) bool {
			r.generationField(known(key.Str, generationFields()), e.Name+"."+key.Str, []byte(v.Raw))
			return true
		})
	default:
		return false, nil
	}
	return true, nil
}

// generationFields are the members of generationConfig that are taken from the client's own
// words. Those that price or bound the call are left to the fields that the gateway reads.
func generationFields() []string {
	return []string{
		"temperature", "topP", "topK", "seed", "presencePenalty", "frequencyPenalty", "stopSequences",
		"responseMimeType", "responseModalities", "responseLogprobs", "logprobs", "enableEnhancedCivicAnswers",
		"speechConfig", "thinkingConfig", "mediaResolution", "imageConfig", "responseSchema", "responseJsonSchema", "responseFormat",
	}
}

func (r *request) generationField(name, asked string, raw []byte) {
	switch name {
	case "":
		r.drop(asked)
		return
	case "responseSchema", "responseJsonSchema", "responseFormat":
		r.gen.remove("responseSchema")
		r.gen.remove("responseJsonSchema")
	}
	r.gen.set(name, raw)
}

// openAI says OpenAI's own fields that the API has a form of. One that asks for nothing beyond
// what the API does anyway is not lost.
func (r *request) openAI(e *providers.Extra) (bool, error) {
	switch e.Name {
	case "store":
		return string(e.Value) == "false", nil
	case "logit_bias":
		return string(e.Value) == "{}", nil
	case "web_search_options":
		r.host("googleSearch")
	case "modalities":
		return true, r.modalities(e)
	case "audio":
		return true, r.voice(e)
	default:
		return false, nil
	}
	return true, nil
}

func (r *request) modalities(e *providers.Extra) error {
	var list []string
	for _, m := range gjson.ParseBytes(e.Value).Array() {
		switch m.Str {
		case "text", "image", "audio":
			list = append(list, strings.ToUpper(m.Str))
		default:
			return providers.Invalid(e.Name, "expected a list of 'text', 'image' and 'audio'")
		}
	}
	switch {
	case len(list) == 0, len(list) == 1 && list[0] == "TEXT": // what the API does unasked
	case strings.Contains(string(e.Value), `"audio"`):
		r.gen.set("responseModalities", quotedList([]string{"AUDIO"})) // the API says it, or writes it
	default:
		r.gen.set("responseModalities", quotedList(list))
	}
	return nil
}

// voice says OpenAI's audio. The API makes raw 16-bit samples and nothing else.
func (r *request) voice(e *providers.Extra) error {
	said := gjson.ParseBytes(e.Value)
	if format := said.Get("format"); format.Exists() && format.Str != "pcm16" {
		return providers.Invalid("audio.format", "this model's provider makes audio as 'pcm16' only")
	}
	voice := said.Get("voice")
	if voice.Type != gjson.String || voice.Str == "" {
		return nil
	}
	var w body
	for _, name := range []string{"", "voiceConfig", "prebuiltVoiceConfig"} {
		if name != "" {
			w.key(name)
		}
		w.open('{')
	}
	w.field("voiceName", voice.Str)
	w.shut('}')
	w.shut('}')
	w.shut('}')
	r.gen.set("speechConfig", w.b)
	return nil
}

// bare takes the objects off an extra's name that its owner's fields stand in.
func bare(name string) string {
	for _, at := range []string{"extra_body.google.", "extra_body.gemini.", "extra_body."} {
		if inner, ok := strings.CutPrefix(name, at); ok {
			return inner
		}
	}
	return name
}

// known gives the API's spelling of a name that is one of list, in that spelling or in snake
// case, which the API takes too. No other spelling counts: Governed knows these two.
func known(name string, list []string) string {
	for _, camel := range list {
		if name == camel || name == snake(camel) {
			return camel
		}
	}
	return ""
}

func snake(camel string) string {
	var b strings.Builder
	for i := range len(camel) {
		c := camel[i]
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}
