package mock

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"
)

// mediaOperation gives an operation of OpenAI's that makes or reads sounds or images.
// Source: https://platform.openai.com/docs/api-reference (audio, images, moderations).
func mediaOperation(path string) (operation, bool) {
	switch path {
	case "/audio/speech":
		return operation{read: readSpeech, whole: writeSpeech, film: filmSpeech, kind: soundType}, true
	case "/audio/transcriptions":
		return operation{read: readTranscription, whole: writeTranscript, film: filmTranscript, kind: transcriptType}, true
	case "/audio/translations":
		return operation{read: readTranslation, whole: writeTranscript, kind: transcriptType}, true
	case "/images/generations":
		return operation{read: readImages, whole: writeImages, film: filmImages}, true
	case "/images/edits":
		return operation{read: readImageEdit, whole: writeImages, film: filmImages}, true
	case "/images/variations":
		return operation{read: readImageVariation, whole: writeImages}, true
	case "/moderations":
		return operation{read: readModeration, whole: writeModeration}, true
	}
	return operation{}, false
}

// maxSpoken is how many characters can be spoken at once.
const maxSpoken = 4096

func readSpeech(r *request) (*ask, *refusal) {
	a := newAsk(r.body, r.doc.Get("model").Str)
	input, voice := r.doc.Get("input").Str, r.doc.Get("voice")
	m := &media{format: "mp3", characters: int64(utf8.RuneCountInString(input))}
	a.media, a.input, a.script = m, int64(len(input)+3)/4, split(input)
	switch {
	case a.model == "":
		return nil, missing("model")
	case isMissing(a.model):
		return nil, unknownModel(a.model)
	case input == "":
		return nil, missing("input")
	case m.characters > maxSpoken:
		return nil, invalid("input", "Invalid 'input': string too long. Expected a string with maximum length 4096.").withCode("string_above_max_length")
	case voice.Str == "" && voice.Get("id").Str == "":
		return nil, missing("voice")
	}
	if format := r.doc.Get("response_format").Str; format != "" {
		m.format = format
	}
	if refused := oneOf("response_format", m.format, "mp3", "opus", "aac", "flac", "wav", "pcm"); refused != nil {
		return nil, refused
	}
	if speed := r.doc.Get("speed"); speed.Exists() && (speed.Num < 0.25 || speed.Num > 4) {
		return nil, invalid("speed", "Invalid 'speed': decimal out of range. Expected a value from 0.25 to 4.")
	}
	a.stream = r.doc.Get("stream_format").Str == "sse"
	if a.stream && strings.HasPrefix(a.model, perCharacter) {
		return nil, invalid("stream_format", "The model `"+a.model+"` does not support stream_format 'sse'.")
	}
	return a, nil
}

func soundType(a *ask) string {
	if a.media.format == "mp3" {
		return "audio/mpeg"
	}
	return "audio/" + a.media.format
}

// sampleRate is that of the mock's sounds, and of OpenAI's.
const sampleRate = 24_000

// appendWave begins a WAV file of so many bytes of sound.
func appendWave(dst []byte, size uint32) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, "RIFF"...), size+36)
	dst = binary.LittleEndian.AppendUint32(append(dst, "WAVEfmt "...), 16)
	dst = append(dst, 1, 0, 1, 0) // PCM, one channel
	dst = binary.LittleEndian.AppendUint32(dst, sampleRate)
	dst = binary.LittleEndian.AppendUint32(dst, sampleRate*2)
	dst = append(dst, 2, 0, 16, 0)
	return binary.LittleEndian.AppendUint32(append(dst, "data"...), size)
}

// soundHead is what a sound begins with. Of wav, pcm and mp3 the whole can be played; the others
// only look like what they are called.
func soundHead(format string, pieces int) []byte {
	switch format {
	case "wav":
		return appendWave(nil, uint32(pieces*len(samples(0))))
	case "opus":
		return []byte("OggS\x00\x02")
	case "flac":
		return []byte("fLaC\x80\x00\x00\x22")
	}
	return nil
}

// soundPiece is 20 ms of a tone, the higher the later, or a frame of silence.
func soundPiece(format string, i int) []byte {
	switch format {
	case "wav", "pcm":
		return samples(i)
	case "mp3": // MPEG 1, layer 3, 128 kbit/s, 44.1 kHz
		frame := make([]byte, 417)
		copy(frame, "\xff\xfb\x90\x00")
		return frame
	case "aac":
		return []byte("\xff\xf1\x58\x80\x01\x1f\xfc\x00")
	}
	return make([]byte, 64)
}

func samples(i int) []byte {
	const n = sampleRate / 50
	tone := 220 * math.Pow(2, float64(i%24)/12)
	sound := make([]byte, 0, 2*n)
	for t := range n {
		x := math.Sin(2 * math.Pi * tone * float64(t) / sampleRate)
		sound = binary.LittleEndian.AppendUint16(sound, uint16(int16(x*8000)))
	}
	return sound
}

func writeSpeech(dst []byte, a *ask, ans *answer) []byte {
	pieces := len(ans.blocks[0].pieces)
	dst = append(dst, soundHead(a.media.format, pieces)...)
	for i := range pieces {
		dst = append(dst, soundPiece(a.media.format, i)...)
	}
	return dst
}

func filmSpeech(f *film, a *ask, ans *answer) {
	pieces := len(ans.blocks[0].pieces)
	for i := range pieces {
		var sound []byte
		if i == 0 {
			sound = soundHead(a.media.format, pieces)
		}
		sound = append(sound, soundPiece(a.media.format, i)...)
		f.event = append(f.event, `data: {"type":"speech.audio.delta","audio":"`...)
		f.event = append(base64.StdEncoding.AppendEncode(f.event, sound), "\"}\n\n"...)
		f.endContent(1)
	}
	f.event = append(f.event, `data: {"type":"speech.audio.done","usage":{`...)
	f.event = number(f.event, `"input_tokens":`, ans.usage.input)
	f.event = number(f.event, `,"output_tokens":`, ans.usage.output)
	f.event = append(number(f.event, `,"total_tokens":`, ans.usage.input+ans.usage.output), "}}\n\n"...)
	f.end()
}
