package huggingface

import (
	"path"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/media"
)

// SpeechRecognition serves OpenAI's transcriptions by POST …/models/{model}. The sound is the body
// itself; where times are wanted, which are a parameter, it stands in JSON as base64.
//
// Source: https://huggingface.co/docs/inference-providers/tasks/automatic-speech-recognition
func SpeechRecognition() *providers.Pair {
	return &providers.Pair{Client: "openai", Write: writeSound, Read: readText}
}

func writeSound(call *providers.Call) (providers.Plan, error) {
	asked, err := media.ReadTranscription(call)
	if err != nil {
		return providers.Plan{}, err
	}
	if asked.Words {
		return providers.Plan{}, providers.Invalid("timestamp_granularities[]", "This model's provider tells the times of segments only, not of each word.")
	}
	req := providers.UpstreamRequest{Path: call.Path, File: "file", Type: soundType(call.Files[asked.File])}
	if asked.Timed() {
		const begin = `{"inputs":"`
		req = providers.UpstreamRequest{
			Path: call.Path, Body: []byte(begin + `","parameters":{"return_timestamps":true}}`),
			Inline: []providers.Inlined{{At: len(begin), File: asked.File}},
		}
	}
	return providers.Plan{Requests: call.One(req), Dropped: asked.Dropped}, nil
}

// soundType gives the content type of a sound, by its name where the client says nothing of use:
// the task refuses bytes without one.
func soundType(f providers.File) string {
	if f.Type != "" && f.Type != "application/octet-stream" {
		return f.Type
	}
	switch strings.ToLower(path.Ext(f.Name)) {
	case ".mp3", ".mpeg", ".mpga":
		return "audio/mpeg"
	case ".wav":
		return "audio/wav"
	case ".flac":
		return "audio/flac"
	case ".ogg", ".oga", ".opus":
		return "audio/ogg"
	case ".m4a", ".mp4":
		return "audio/m4a"
	case ".webm":
		return "audio/webm"
	}
	return f.Type
}

func readText(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := media.ReadTranscription(call)
	if err != nil {
		return providers.PairReply{}, err
	}
	if len(replies) != 1 || !providers.ValidJSON(replies[0]) {
		return providers.PairReply{}, broken("the reply is not valid JSON")
	}
	reply := gjson.ParseBytes(replies[0])
	text := reply.Get("text")
	switch message := reply.Get("error"); {
	case message.Type == gjson.String:
		return providers.PairReply{}, &providers.Fault{Kind: providers.FaultUpstream, Message: message.Str, Retryable: true}
	case text.Type != gjson.String:
		return providers.PairReply{}, broken("the reply has no text")
	}
	var segments []media.Segment
	for _, chunk := range reply.Get("chunks").Array() {
		segments = append(segments, media.Segment{
			Text: chunk.Get("text").Str, Start: chunk.Get("timestamp.0").Num, End: chunk.Get("timestamp.1").Num, // null where the sound breaks off
		})
	}
	if asked.Timed() && len(segments) == 0 && text.Str != "" {
		return providers.PairReply{}, media.Timeless()
	}
	return asked.Reply(text.Str, segments), nil
}
