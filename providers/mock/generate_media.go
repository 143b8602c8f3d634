package mock

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// The modalities of an answer that is no text.
const (
	soundModality = "AUDIO"
	imageModality = "IMAGE"
)

// voices are those that Gemini has.
// Source: https://ai.google.dev/gemini-api/docs/speech-generation#voices
var voices = strings.Fields("Zephyr Puck Charon Kore Fenrir Leda Orus Aoede Callirrhoe Autonoe Enceladus Iapetus Umbriel " +
	"Algieba Despina Erinome Algenib Rasalgethi Laomedeia Achernar Alnilam Schedar Gacrux Pulcherrima Achird Zubenelgenubi " +
	"Vindemiatrix Sadachbia Sadaltager Sulafat")

var aspects = strings.Fields("1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9")

// media reads what Gemini is told of sounds and images to be made.
func (g *generateReader) media(name string, v gjson.Result) *refusal {
	switch name {
	case "responseModalities", "response_modalities":
		for _, one := range v.Array() {
			switch one.Str {
			case "TEXT":
			case soundModality, imageModality:
				g.ask.media = &media{modality: one.Str, format: "png"}
			default:
				return invalidf("Invalid value at 'generation_config.response_modalities' (type.googleapis.com/google.ai.generativelanguage.v1beta.GenerationConfig.Modality), %s", one.Raw)
			}
		}
	case "speechConfig", "speech_config":
		voice := either(either(v, "voiceConfig", "voice_config"), "prebuiltVoiceConfig", "prebuilt_voice_config")
		if said := either(voice, "voiceName", "voice_name").Str; said != "" && !slices.Contains(voices, said) {
			return invalidf("Voice name %s is not supported. Allowed voice names are: %s", said, strings.ToLower(strings.Join(voices, ", ")))
		}
	default:
		if said := either(v, "aspectRatio", "aspect_ratio").Str; said != "" && !slices.Contains(aspects, said) {
			return invalidf("* GenerateContentRequest.generation_config.image_config.aspect_ratio: aspect_ratio must be one of %s.\n", aspects)
		}
		if said := either(v, "imageSize", "image_size").Str; said != "" && !slices.Contains([]string{"512", "1K", "2K", "4K"}, said) {
			return invalidf("* GenerateContentRequest.generation_config.image_config.image_size: image_size must be one of 512, 1K, 2K and 4K.\n")
		}
	}
	return nil
}

// appendWhole appends the part of a whole answer.
func (g *generation) appendWhole(dst []byte, b *block) []byte {
	return g.appendInline(dst, 0, len(b.pieces))
}

// appendInline appends a part of bytes: an image, or so many pieces of a sound from the first on.
// The models of the generation 3.8 answer a call that is no stream with a WAV file.
func (g *generation) appendInline(dst []byte, first, pieces int) []byte {
	if g.ask.media.modality == imageModality {
		return append(append(dst, `{"inlineData": {"mimeType": "image/png","data": "`...), picture("png", g.ask.id+uint64(first))+`"}}`...)
	}
	var sound []byte
	kind := "audio/L16;codec=pcm;rate=24000"
	if strings.Contains(g.ask.model, "3.8") && !g.ask.stream {
		kind, sound = "audio/wav", soundHead("wav", pieces)
	}
	for i := range pieces {
		sound = append(sound, soundPiece("pcm", first+i)...)
	}
	dst = append(dst, `{"inlineData": {"mimeType": "`+kind+`","data": "`...)
	return append(base64.StdEncoding.AppendEncode(dst, sound), `"}}`...)
}
