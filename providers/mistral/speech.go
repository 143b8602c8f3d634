// Package mistral says what Mistral's API does in words of its own; all else there is OpenAI's
// language. It must never open a connection or hold a key.
package mistral

import (
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/media"
)

// Speech serves OpenAI's speech by POST /audio/speech, whose answer is JSON with the sound in it.
// Voices have the provider's own names.
//
// Source: https://docs.mistral.ai/api/endpoint/audio/speech, and the source of
// @mistralai/mistralai 2.7.0.
func Speech() *providers.Pair {
	return &providers.Pair{Client: "openai", Write: writeSpeech, Read: readSpeech}
}

func formats() []string { return []string{"mp3", "opus", "flac", "wav", "pcm"} }

func writeSpeech(call *providers.Call) (providers.Plan, error) {
	asked, err := media.ReadSpeech(call, formats()...)
	if err != nil {
		return providers.Plan{}, err
	}
	body := providers.AppendString([]byte(`{"model":`), call.Model)
	body = providers.AppendString(append(body, `,"input":`...), asked.Input)
	body = providers.AppendString(append(body, `,"voice_id":`...), asked.Voice)
	body = providers.AppendString(append(body, `,"response_format":`...), asked.Format)
	plan := providers.Plan{Requests: call.One(providers.UpstreamRequest{Path: call.Path, Body: append(body, '}')}), Dropped: asked.Dropped}
	if asked.Instructions != "" {
		plan.Dropped = providers.AddDropped(plan.Dropped, "instructions")
	}
	return plan, nil
}

func readSpeech(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := media.ReadSpeech(call, formats()...)
	if err != nil {
		return providers.PairReply{}, err
	}
	var data gjson.Result
	if len(replies) == 1 && providers.ValidJSON(replies[0]) {
		data = gjson.GetBytes(replies[0], "audio_data")
	}
	sound, err := base64.StdEncoding.DecodeString(data.Str)
	if err != nil || len(sound) == 0 {
		return providers.PairReply{}, &providers.Fault{
			Kind: providers.FaultUpstream, Retryable: true, Message: "the upstream's reply cannot be read",
			Cause: fmt.Errorf("mistral: %w", errors.Join(err, errors.New("the reply has no audio_data"))),
		}
	}
	var line providers.UsageLine // the reply counts nothing
	line.Set(providers.Characters, int64(utf8.RuneCountInString(asked.Input)))
	return asked.Reply(sound, providers.Usage{Lines: []providers.UsageLine{line}}), nil
}
