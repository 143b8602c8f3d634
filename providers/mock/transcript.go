package mock

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// soundTokens is how many tokens a second of sound is.
const soundTokens = 10

func readTranscription(r *request) (*ask, *refusal) {
	a, refused := readSound(r)
	if refused != nil {
		return nil, refused
	}
	a.stream = r.doc.Get("stream").Bool() && !strings.HasPrefix(a.model, perSecond) // which overlooks it
	for _, word := range r.doc.Get("timestamp_granularities[]").Array() {
		if refused := oneOf("timestamp_granularities", word.Str, "word", "segment"); refused != nil {
			return nil, refused
		}
		if a.media.format != "verbose_json" {
			return nil, invalid("timestamp_granularities", "Timestamp granularities are only supported with response_format 'verbose_json'.")
		}
		a.media.words = a.media.words || word.Str == "word"
	}
	return a, nil
}

func readTranslation(r *request) (*ask, *refusal) {
	a, refused := readSound(r)
	if refused == nil {
		a.media.translates = true
	}
	return a, refused
}

// readSound reads what transcriptions and translations have in common.
func readSound(r *request) (*ask, *refusal) {
	files := r.files["file"]
	if len(files) != 1 {
		return nil, missing("file")
	}
	a := newAsk(append(append([]byte(nil), r.body...), files[0].content...), r.doc.Get("model").Str)
	m := &media{format: "json", seconds: duration(files[0].content)}
	m.tokens = m.seconds * soundTokens
	a.media, a.input = m, m.tokens+int64(len(r.doc.Get("prompt").Str)+3)/4
	switch end := strings.TrimPrefix(path.Ext(files[0].name), "."); {
	case a.model == "":
		return nil, missing("model")
	case isMissing(a.model):
		return nil, unknownModel(a.model)
	case len(files[0].content) == 0:
		return nil, invalid("file", "The audio file could not be decoded or its format is not supported.")
	case oneOf("", end, "flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm") != nil:
		return nil, invalid("file", "Unrecognized file format. Supported formats: ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']")
	}
	if format := r.doc.Get("response_format").Str; format != "" {
		m.format = format
	}
	if !strings.HasPrefix(a.model, perSecond) && m.format != "json" && m.format != "text" {
		return nil, invalid("response_format", "response_format '"+m.format+"' is not compatible with model '"+a.model+"'. Use 'json' or 'text' instead.").withCode("unsupported_value")
	}
	return a, oneOf("response_format", m.format, "json", "text", "srt", "vtt", "verbose_json")
}

func transcriptType(a *ask) string {
	switch a.media.format {
	case "json", "verbose_json":
		return jsonType
	case "vtt":
		return "text/vtt; charset=utf-8"
	}
	return "text/plain; charset=utf-8"
}

func writeTranscript(dst []byte, a *ask, ans *answer) []byte {
	text, m := plainText(ans), a.media
	switch m.format {
	case "text":
		return append(append(dst, text...), '\n')
	case "srt":
		return append(dst, "1\n00:00:00,000 --> "+clock(m.seconds, ",")+"\n"+text+"\n\n"...)
	case "vtt":
		return append(dst, "WEBVTT\n\n00:00:00.000 --> "+clock(m.seconds, ".")+"\n"+text+"\n\n"...)
	case "verbose_json":
		return appendVerbose(dst, a, ans, text)
	}
	dst = providers.AppendString(append(dst, `{"text":`...), text)
	if !m.translates {
		dst = appendHeard(append(dst, `,"usage":`...), a, ans)
	}
	return append(dst, '}')
}

func clock(seconds int64, point string) string {
	d := time.Duration(seconds) * time.Second
	return fmt.Sprintf("%02d:%02d:%02d%s000", int(d.Hours()), int(d.Minutes())%60, seconds%60, point)
}

// appendHeard appends the usage of a transcript: seconds where the model is billed by them.
func appendHeard(dst []byte, a *ask, ans *answer) []byte {
	if strings.HasPrefix(a.model, perSecond) {
		return append(number(dst, `{"type":"duration","seconds":`, a.media.seconds), '}')
	}
	at := len(dst)
	dst = appendTokens(dst, ans.usage, "input_token_details", "audio")
	return append(append(dst[:at:at], `{"type":"tokens",`...), dst[at+1:]...)
}

func appendVerbose(dst []byte, a *ask, ans *answer, text string) []byte {
	m, task := a.media, "transcribe"
	if m.translates {
		task = "translate"
	}
	dst = append(dst, `{"task":"`+task+`","language":"english"`...)
	dst = number(dst, `,"duration":`, m.seconds)
	dst = providers.AppendString(append(dst, `,"text":`...), text)
	dst = number(dst, `,"segments":[{"id":0,"seek":0,"start":0,"end":`, m.seconds)
	dst = providers.AppendString(append(dst, `,"text":`...), text)
	dst = append(dst, `,"tokens":[50364],"temperature":0,"avg_logprob":-0.2,"compression_ratio":1.1,"no_speech_prob":0.01}]`...)
	if m.words {
		dst = append(dst, `,"words":[`...)
		for i, word := range strings.Fields(text) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = providers.AppendString(append(dst, `{"word":`...), word)
			dst = append(number(number(dst, `,"start":`, int64(i)), `,"end":`, int64(i+1)), '}')
		}
		dst = append(dst, ']')
	}
	if !m.translates {
		dst = appendHeard(append(dst, `,"usage":`...), a, ans)
	}
	return append(dst, '}')
}

func filmTranscript(f *film, a *ask, ans *answer) {
	for _, piece := range ans.blocks[0].pieces {
		f.event = providers.AppendString(append(f.event, `data: {"type":"transcript.text.delta","delta":`...), piece)
		f.event = append(f.event, "}\n\n"...)
		f.endContent(1)
	}
	f.event = providers.AppendString(append(f.event, `data: {"type":"transcript.text.done","text":`...), plainText(ans))
	f.event = append(appendHeard(append(f.event, `,"usage":`...), a, ans), "}\n\n"...)
	f.end()
}
