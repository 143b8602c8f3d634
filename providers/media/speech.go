package media

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Speech is what a client asks of a text to be spoken.
type Speech struct {
	Input, Voice, Instructions string
	Format                     string
	Events                     bool // the sound comes as events
	Dropped                    []string
}

// ReadSpeech reads the client's body, for a provider that gives sounds of these formats only. Its
// errors are *providers.Fault.
func ReadSpeech(call *providers.Call, formats ...string) (*Speech, error) {
	a, doc := &Speech{Events: call.Stream}, call.Doc
	var err error
	if a.Input, err = text(doc, "input"); err != nil {
		return nil, err
	}
	if a.Voice, err = text(doc, "voice"); err != nil {
		return nil, err
	}
	if a.Instructions, _, err = doc.String("instructions"); err != nil {
		return nil, err
	}
	if a.Format, _, err = doc.String("response_format"); err != nil {
		return nil, err
	}
	if a.Format = cmp.Or(a.Format, "mp3"); !slices.Contains(formats, a.Format) {
		return nil, providers.Invalid("response_format", "This model's provider gives no '"+a.Format+"': say '"+strings.Join(formats, "' or '")+"' as the 'response_format'.")
	}
	a.Dropped = dropped(doc, "input", "voice", "instructions", "response_format", "stream_format")
	return a, nil
}

// Reply says a whole sound to the client: its bytes, or the events of a stream that comes all at
// once.
func (a *Speech) Reply(sound []byte, usage providers.Usage) providers.PairReply {
	out := providers.PairReply{Body: sound, Type: "audio/" + a.Format, Usage: usage}
	switch {
	case a.Events:
		s := speaking{usage: &usage}
		out.Body, out.Type = s.end(delta(nil, sound)), "text/event-stream; charset=utf-8"
	case a.Format == "mp3":
		out.Type = "audio/mpeg"
	}
	return out
}

// A Sound is samples of 16 bits, one channel, as they come from a provider.
type Sound struct {
	Rate    int // samples a second
	Samples []byte
}

// defaultRate is that of OpenAI's pcm.
const defaultRate = 24_000

// Append takes in bytes of a MIME type: raw samples ("audio/L16;codec=pcm;rate=24000") or a WAV
// file. It reports whether they are either.
func (s *Sound) Append(kind string, data []byte) bool {
	name, parameters, _ := strings.Cut(kind, ";")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "audio/l16", "audio/pcm":
		rate := 0
		for parameter := range strings.SplitSeq(parameters, ";") {
			if digits, ok := strings.CutPrefix(strings.TrimSpace(parameter), "rate="); ok {
				for _, c := range []byte(digits) {
					rate = min(rate*10+int(c-'0'), math.MaxInt32)
				}
			}
		}
		s.rate(rate)
	case "audio/wav", "audio/x-wav", "audio/wave":
		rate, samples, ok := unwave(data)
		if !ok {
			return false
		}
		s.rate(rate)
		data = samples
	default:
		return false
	}
	s.Samples = append(s.Samples, data...)
	return true
}

func (s *Sound) rate(rate int) {
	if s.Rate == 0 && rate > 0 {
		s.Rate = rate
	}
}

// unwave gives the samples of a WAV file of 16 bits and one channel.
// Source: http://soundfile.sapp.org/doc/WaveFormat/
func unwave(file []byte) (rate int, samples []byte, ok bool) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return 0, nil, false
	}
	for rest := file[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		part := rest[:min(size, int64(len(rest)))]
		switch {
		case name == "fmt " && len(part) >= 16:
			if channels, bits := binary.LittleEndian.Uint16(part[2:]), binary.LittleEndian.Uint16(part[14:]); channels != 1 || bits != 16 {
				return 0, nil, false
			}
			rate = int(binary.LittleEndian.Uint32(part[4:]))
		case name == "data":
			return rate, part, rate > 0
		}
		rest = rest[min(int64(len(part))+size%2, int64(len(rest))):]
	}
	return 0, nil, false
}

// Bytes gives the sound as a file of a format, wav or pcm.
func (s *Sound) Bytes(format string) []byte {
	if format != "wav" {
		return s.Samples
	}
	return append(waveHead(s.Rate, min(int64(len(s.Samples)), unknownSize)), s.Samples...)
}

// unknownSize is what a WAV file says of its sound where nobody knows yet how long it will be.
const unknownSize = math.MaxUint32 - 36

func waveHead(rate int, size int64) []byte {
	if rate == 0 {
		rate = defaultRate
	}
	b := slices.Concat([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(size)+36), []byte("WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate)*2)
	b = append(b, "\x02\x00\x10\x00data"...)
	return binary.LittleEndian.AppendUint32(b, uint32(size))
}

// Stream says the sounds of the hub's events as OpenAI's events of a speech; broken says the one
// that ends a stream without a sound.
func (a *Speech) Stream(broken func(*providers.Fault) []byte) providers.Writer {
	return &speaking{format: a.Format, broken: broken}
}

// speaking writes one stream.
type speaking struct {
	format string
	broken func(*providers.Fault) []byte
	began  bool
	usage  *providers.Usage
	failed *providers.Fault
}

// Write implements providers.Writer.
func (s *speaking) Write(dst []byte, ev *providers.Event) []byte {
	switch ev.Kind {
	case providers.EventBlockStart:
		if m := ev.Block.Media; ev.Block.Kind == providers.KindAudio && m != nil {
			return s.sound(dst, m)
		}
	case providers.EventUsage:
		s.usage = ev.Usage
	case providers.EventFinish:
		if !s.began && s.failed == nil {
			s.failed = silent(ev.Native)
		}
	case providers.EventCut:
		if ev.Usage != nil {
			s.usage = ev.Usage
		}
		return s.end(dst)
	case providers.EventEnd:
		if s.failed != nil {
			return append(dst, s.broken(s.failed)...)
		}
		return s.end(dst)
	default: // what a speech has no word for
	}
	return dst
}

// Passed implements providers.Writer; a pair passes nothing.
func (*speaking) Passed([]byte) {}

func (s *speaking) sound(dst []byte, m *providers.Media) []byte {
	raw, err := base64.StdEncoding.DecodeString(m.Data)
	var piece Sound
	if err != nil || !piece.Append(m.Type, raw) {
		s.failed = Unreadable(m.Type)
		return dst
	}
	if s.failed != nil {
		return dst
	}
	if !s.began && s.format == "wav" {
		dst = delta(dst, waveHead(piece.Rate, unknownSize))
	}
	s.began = true
	return delta(dst, piece.Samples)
}

func delta(dst, sound []byte) []byte {
	dst = append(event(dst, "speech.audio.delta"), `,"audio":"`...)
	return append(base64.StdEncoding.AppendEncode(dst, sound), "\"}\n\n"...)
}

func (s *speaking) end(dst []byte) []byte {
	dst = append(event(dst, "speech.audio.done"), `,"usage":{`...)
	var n providers.Normal
	if s.usage != nil {
		n = s.usage.Total()
	}
	dst = appendInt(dst, "input_tokens", n.Input())
	dst = appendInt(append(dst, ','), "output_tokens", n.Output)
	return append(appendInt(append(dst, ','), "total_tokens", n.Input()+n.Output), "}}\n\n"...)
}
