// Package openrouter says what OpenRouter's API does in words of its own; all else there is
// OpenAI's language. It must never open a connection or hold a key.
package openrouter

import (
	"errors"
	"path"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/media"
)

// Transcriptions serves OpenAI's transcriptions by POST /audio/transcriptions, which takes the
// sound as base64 in JSON.
//
// Source: https://openrouter.ai/docs/api/api-reference/transcriptions/create-audio-transcriptions
func Transcriptions() *providers.Pair {
	return &providers.Pair{Client: "openai", Write: writeSound, Read: readText}
}

func writeSound(call *providers.Call) (providers.Plan, error) {
	asked, err := media.ReadTranscription(call, "language", "temperature", "user")
	if err != nil {
		return providers.Plan{}, err
	}
	file := call.Files[asked.File]
	format := formatOf(file)
	if format == "" {
		return providers.Plan{}, providers.Invalid("file", "The format of the sound is not known: give the file a name that ends with it, as in 'speech.mp3'.")
	}
	body := providers.AppendString([]byte(`{"model":`), call.Model)
	for _, name := range []string{"language", "temperature", "user"} {
		if raw := call.Doc.Value(name); len(raw) > 0 && raw[0] != 'n' {
			body = append(append(providers.AppendString(append(body, ','), name), ':'), raw...)
		}
	}
	if asked.Timed() {
		body = append(body, `,"response_format":"verbose_json"`...)
		if asked.Words {
			body = append(body, `,"timestamp_granularities":["segment","word"]`...)
		}
	}
	body = providers.AppendString(append(body, `,"input_audio":{"format":`...), format)
	body = append(body, `,"data":"`...)
	at := len(body)
	return providers.Plan{Dropped: asked.Dropped, Requests: []providers.UpstreamRequest{{
		Path: call.Path, Body: append(body, `"}}`...), Inline: []providers.Inlined{{At: at, File: asked.File}},
	}}}, nil
}

// formatOf gives the API's word for a sound's format, by its name or its type; "" unknown.
func formatOf(f providers.File) string {
	name := strings.ToLower(strings.TrimPrefix(path.Ext(f.Name), "."))
	if name == "" {
		name = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(f.Type), "audio/"), "x-")
	}
	switch name {
	case "wav", "mp3", "flac", "m4a", "ogg", "webm", "aac":
		return name
	case "mpeg", "mpga":
		return "mp3"
	case "mp4":
		return "m4a"
	case "oga", "opus":
		return "ogg"
	case "wave":
		return "wav"
	}
	return ""
}

func readText(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := media.ReadTranscription(call)
	if err != nil {
		return providers.PairReply{}, err
	}
	if len(replies) != 1 || !providers.ValidJSON(replies[0]) || gjson.GetBytes(replies[0], "text").Type != gjson.String {
		return providers.PairReply{}, &providers.Fault{
			Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply cannot be read",
			Cause: errors.New("openrouter: the reply has no text"),
		}
	}
	reply := gjson.ParseBytes(replies[0])
	var segments []media.Segment
	for _, s := range reply.Get("segments").Array() {
		segments = append(segments, media.Segment{Text: s.Get("text").Str, Start: s.Get("start").Num, End: s.Get("end").Num})
	}
	if asked.Timed() && len(segments) == 0 && reply.Get("text").Str != "" {
		return providers.PairReply{Usage: usage(reply)}, media.Timeless()
	}
	out := asked.Reply(reply.Get("text").Str, segments)
	if asked.Format == "verbose_json" { // is the client's own
		out.Body = replies[0]
	}
	out.Usage = usage(reply)
	return out, nil
}

func usage(reply gjson.Result) providers.Usage {
	said := reply.Get("usage")
	var line providers.UsageLine
	for name, m := range map[string]providers.Meter{"input_tokens": providers.InputTotal, "output_tokens": providers.OutputTotal} {
		if n := said.Get(name); n.Exists() {
			line.Set(m, n.Int())
		}
	}
	if s := said.Get("seconds"); s.Exists() {
		line.Set(providers.AudioInMs, int64(s.Num*1000))
	}
	if !line.Has() {
		return providers.Usage{}
	}
	return providers.Usage{Lines: []providers.UsageLine{line}, Raw: []byte(said.Raw)}
}
