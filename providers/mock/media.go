package mock

import (
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/providers"
)

// media is what a request about sounds and images asks for, and what it is billed by where that
// is not tokens.
type media struct {
	format     string // of the answer
	words      bool   // timestamps of words too
	translates bool
	characters int64 // of a text to be spoken
	seconds    int64 // of a sound to be written down
	tokens     int64 // of the input, that are no text
	free       bool  // it costs nothing

	images   int
	partials int    // images on the way to one, in a stream
	event    string // what a stream's events begin with
	modality string // of Gemini's, that of the answer
	size     string
	quality  string
	links    bool // addresses, not bytes
}

// The models that are billed by something else than tokens, by the beginning of their names.
const (
	perCharacter = "tts-1"
	perSecond    = "whisper"
	perImage     = "dall-e"
)

// bill puts in the place of tokens what the model is billed by.
func (m *media) bill(model string, u *usage) {
	switch {
	case m.free:
		*u = usage{}
	case m.characters > 0 && strings.HasPrefix(model, perCharacter):
		*u = usage{characters: m.characters}
	case m.seconds > 0 && strings.HasPrefix(model, perSecond):
		*u = usage{seconds: m.seconds}
	case m.images > 0 && strings.HasPrefix(model, perImage):
		*u = usage{images: int64(m.images)}
	default:
		u.media = min(m.tokens, u.input)
	}
}

// upload is one file of a form.
type upload struct {
	name, mime string
	content    []byte
}

// readForm reads a form as the object of its fields, all texts, and its files.
func (v *visit) readForm() (fields []byte, files map[string][]upload, refused *refusal) {
	form, err := v.ctx.MultipartForm()
	if err != nil {
		return nil, nil, invalid("", "Could not parse multipart form: "+err.Error())
	}
	fields = []byte{'{'}
	for _, name := range slices.Sorted(maps.Keys(form.Value)) { // equal forms, equal bytes
		values := form.Value[name]
		if len(fields) > 1 {
			fields = append(fields, ',')
		}
		fields = append(providers.AppendString(fields, name), ':')
		if !strings.HasSuffix(name, "[]") {
			fields = providers.AppendString(fields, values[0])
			continue
		}
		for i, value := range values {
			fields = providers.AppendString(append(fields, "[,"[min(i, 1)]), value)
		}
		fields = append(fields, ']')
	}
	files = map[string][]upload{}
	for name, heads := range form.File {
		for _, head := range heads {
			file, err := head.Open()
			if err != nil {
				return nil, nil, invalid(name, err.Error())
			}
			content, err := io.ReadAll(file)
			if err != nil {
				return nil, nil, invalid(name, err.Error())
			}
			files[name] = append(files[name], upload{head.Filename, head.Header.Get("Content-Type"), content})
		}
	}
	return append(fields, '}'), files, nil
}

// isForm reports whether a request's body is a form.
func isForm(h *fasthttp.RequestHeader) bool {
	return strings.HasPrefix(string(h.ContentType()), "multipart/form-data")
}

// wholeNumber reads a member that is a whole number, or the text of one in a form.
func wholeNumber(name string, v gjson.Result, least, most int64) (int64, *refusal) {
	n, err := strconv.ParseInt(v.String(), 10, 64)
	if err != nil || n < least || n > most {
		return 0, invalid(name, "Invalid value for '"+name+"': expected an integer from "+
			strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10)+", but got "+v.String()+" instead.")
	}
	return n, nil
}

// oneOf refuses a word that is not among those given.
func oneOf(name, value string, words ...string) *refusal {
	for _, word := range words {
		if value == word {
			return nil
		}
	}
	return invalid(name, "Invalid value: '"+value+"'. Supported values are: '"+strings.Join(words, "', '")+"'.").withCode("invalid_value")
}

// duration gives the seconds of a sound, rounded up: a WAV file says so in its head, any other is
// taken for 128 kbit a second.
func duration(sound []byte) int64 {
	rate := int64(16_000)
	if len(sound) >= 44 && string(sound[:4]) == "RIFF" && string(sound[8:12]) == "WAVE" {
		rate = max(1, int64(binary.LittleEndian.Uint32(sound[28:])))
		sound = sound[44:]
	}
	return (int64(len(sound)) + rate - 1) / rate
}

// appendTokens appends the usage object of sounds and images: details names that of the input,
// and kind what of the input is no text.
func appendTokens(dst []byte, u usage, details, kind string) []byte {
	dst = number(append(dst, '{'), `"input_tokens":`, u.input)
	dst = append(append(append(dst, `,"`...), details...), `":{"`...)
	dst = number(append(dst, kind...), `_tokens":`, u.media)
	dst = number(dst, `,"text_tokens":`, u.input-u.media)
	dst = number(dst, `},"output_tokens":`, u.output)
	return append(number(dst, `,"total_tokens":`, u.input+u.output), '}')
}
