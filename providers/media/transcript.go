package media

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// Transcription is what a client asks of a sound to be written down.
type Transcription struct {
	Format  string // json, text, srt, vtt or verbose_json
	Words   bool   // the times of words are wanted too
	Stream  bool
	File    int // index in Call.Files
	Dropped []string
}

// ReadTranscription reads the client's form, for a provider that has no stream; known are members
// that the caller reads itself. Its errors are *providers.Fault.
func ReadTranscription(call *providers.Call, known ...string) (*Transcription, error) {
	a := &Transcription{Format: "json", Stream: call.Stream}
	said, _, err := call.Doc.String("response_format")
	if err != nil {
		return nil, err
	}
	if said != "" {
		a.Format = said
	}
	if !slices.Contains([]string{"json", "text", "srt", "vtt", "verbose_json"}, a.Format) {
		return nil, providers.Invalid("response_format", "This model's provider knows no '"+a.Format+"': say 'json', 'text', 'srt', 'verbose_json' or 'vtt'.")
	}
	for _, one := range gjson.ParseBytes(call.Doc.Value("timestamp_granularities[]")).Array() {
		a.Words = a.Words || one.Str == "word"
	}
	if a.Stream && a.Format != "json" {
		return nil, providers.Invalid("response_format", "A stream of this model has the format 'json'.")
	}
	switch a.File = slices.IndexFunc(call.Files, func(f providers.File) bool { return f.Field == "file" }); {
	case a.File < 0:
		return nil, providers.Invalid("file", "Missing required parameter: 'file'.")
	case len(call.Files) > 1:
		return nil, providers.Invalid("file", "Only one sound can be written down at a time.")
	}
	a.Dropped = dropped(call.Doc, append(known, "response_format", "timestamp_granularities", "stream")...)
	return a, nil
}

// Timed reports whether the times of the text are wanted.
func (a *Transcription) Timed() bool { return a.Format != "json" && a.Format != "text" }

// A Segment is a piece of a text, and when it was said, in seconds.
type Segment struct {
	Text       string
	Start, End float64
}

// settle has a segment end at or behind its start, and at a time that can be said.
func (s *Segment) settle() {
	const longest = 1e9 // 32 years
	s.Start = max(0, min(s.Start, longest))
	s.End = max(s.Start, min(s.End, longest))
}

// Reply says a text to the client. It settles the segments.
func (a *Transcription) Reply(text string, segments []Segment) providers.PairReply {
	var out providers.PairReply
	for i := range segments {
		segments[i].settle()
	}
	switch {
	case a.Stream:
		out.Type = "text/event-stream; charset=utf-8"
		out.Body = append(providers.AppendString(append(event(nil, "transcript.text.delta"), `,"delta":`...), text), "}\n\n"...)
		out.Body = append(event(out.Body, "transcript.text.done"), `,"text":`...)
		out.Body = append(providers.AppendString(out.Body, text), "}\n\n"...)
	case a.Format == "text":
		out.Type, out.Body = "text/plain; charset=utf-8", append([]byte(text), '\n')
	case a.Format == "srt":
		out.Type, out.Body = "text/plain; charset=utf-8", cues(nil, segments, ",", true)
	case a.Format == "vtt":
		out.Type, out.Body = "text/vtt; charset=utf-8", cues([]byte("WEBVTT\n\n"), segments, ".", false)
	case a.Format == "verbose_json":
		out.Body = verbose(text, segments)
	default:
		out.Body = append(providers.AppendString([]byte(`{"text":`), text), '}')
	}
	return out
}

// cues are the lines of subtitles.
func cues(dst []byte, segments []Segment, point string, numbered bool) []byte {
	for i, s := range segments {
		if numbered {
			dst = append(strconv.AppendInt(dst, int64(i+1), 10), '\n')
		}
		dst = append(dst, clock(s.Start, point)+" --> "+clock(s.End, point)+"\n"+strings.TrimSpace(s.Text)+"\n\n"...)
	}
	return dst
}

func clock(seconds float64, point string) string {
	ms := int64(math.Round(seconds * 1000))
	return fmt.Sprintf("%02d:%02d:%02d%s%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, point, ms%1000)
}

// verbose is the object of verbose_json, of which nobody knows the language and what the model
// thinks of its own words.
func verbose(text string, segments []Segment) []byte {
	end := 0.0
	for _, s := range segments {
		end = max(end, s.End)
	}
	b := append([]byte(`{"task":"transcribe","duration":`), seconds(end)...)
	b = providers.AppendString(append(b, `,"text":`...), text)
	b = append(b, `,"segments":[`...)
	for i, s := range segments {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInt(append(b, '{'), "id", int64(i))
		b = append(append(b, `,"start":`...), seconds(s.Start)...)
		b = append(append(b, `,"end":`...), seconds(s.End)...)
		b = append(providers.AppendString(append(b, `,"text":`...), s.Text), '}')
	}
	return append(b, "]}"...)
}

func seconds(s float64) []byte { return strconv.AppendFloat(nil, s, 'f', -1, 64) }
