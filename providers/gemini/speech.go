package gemini

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/media"
)

// Speech serves OpenAI's speech by generateContent of the models that speak. They give samples of
// 16 bits at 24 kHz, those of generation 3.8 a WAV file where the call is no stream. Voices have
// the provider's own names. broken says the event that ends a stream without a sound.
// Source: https://ai.google.dev/gemini-api/docs/speech-generation and
// https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/text-to-speech/migration-guide
func Speech(broken func(*providers.Fault) []byte) *providers.Pair {
	return &providers.Pair{Client: "openai", Write: writeSpeech, Read: readSpeech, Stream: func(call *providers.Call) providers.Writer {
		asked, err := media.ReadSpeech(call, samples()...)
		if err != nil { // Write has refused it
			asked = &media.Speech{Format: "pcm"}
		}
		return asked.Stream(broken)
	}}
}

// samples are the formats that the API's samples can be given in.
func samples() []string { return []string{"wav", "pcm"} }

func writeSpeech(call *providers.Call) (providers.Plan, error) {
	asked, err := media.ReadSpeech(call, samples()...)
	if err != nil {
		return providers.Plan{}, err
	}
	plan := providers.Plan{Dropped: asked.Dropped}
	var w body
	w.b = append(w.b, `{"contents":[{"role":"user","parts":[{`...)
	w.field("text", asked.Input)
	switch {
	case asked.Instructions == "":
	case takesStyle(call.Model):
		w.key("speechMetadata")
		w.open('{')
		w.field("style", asked.Instructions)
		w.shut('}')
	default: // in the text they might be read out
		plan.Dropped = providers.AddDropped(plan.Dropped, "instructions")
	}
	w.b = append(w.b, `}]}],"generationConfig":{"responseModalities":["AUDIO"],"speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{`...)
	w.field("voiceName", asked.Voice)
	w.b = append(w.b, "}}}}}"...)
	plan.Requests = call.One(providers.UpstreamRequest{Path: call.Path, Body: w.b})
	return plan, nil
}

// takesStyle reports a model that is told how to speak apart from what: all but the first two
// generations of those that speak.
func takesStyle(model string) bool {
	name := strings.TrimPrefix(model, "models/")
	return !strings.HasPrefix(name, "gemini-2.") && !strings.HasPrefix(name, "gemini-3.1-")
}

func readSpeech(call *providers.Call, replies [][]byte) (providers.PairReply, error) {
	asked, err := media.ReadSpeech(call, samples()...)
	if err != nil {
		return providers.PairReply{}, err
	}
	usage, err := usageOf(replies)
	if err != nil {
		return providers.PairReply{Usage: usage}, err
	}
	var sound media.Sound
	for _, reply := range replies {
		var failed error
		reason, said := generated(gjson.ParseBytes(reply), func(kind, data string) {
			raw, err := decoded(data)
			if err == nil && !sound.Append(kind, raw) {
				err = media.Unreadable(kind)
			}
			if failed == nil {
				failed = err
			}
		})
		switch {
		case failed != nil:
			return providers.PairReply{Usage: usage}, failed
		case len(sound.Samples) == 0:
			return providers.PairReply{Usage: usage}, unmade(call.Op, reason, said)
		}
	}
	return asked.Reply(sound.Bytes(asked.Format), usage), nil
}
