package media

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestSound_Append(t *testing.T) {
	samples := []byte{1, 0, 2, 0}
	wave := append(waveHead(16_000, 4), samples...)
	f := func(kind string, data []byte, ok bool, rate int) {
		t.Helper()
		var s Sound
		if got := s.Append(kind, data); got != ok || ok && !bytes.Equal(s.Samples, samples) || s.Rate != rate {
			t.Errorf("%s: %t, %d Hz, %v", kind, got, s.Rate, s.Samples)
		}
	}
	f("audio/L16;codec=pcm;rate=24000", samples, true, 24_000)
	f("audio/l16; rate=8000; channels=1", samples, true, 8_000)
	f("audio/pcm", samples, true, 0)
	f("audio/wav", wave, true, 16_000)
	f("audio/wav", append(waveHead(16_000, unknownSize), samples...), true, 16_000) // as it is streamed
	f("audio/wav", wave[:20], false, 0)
	f("audio/wav", nil, false, 0)
	f("audio/mpeg", samples, false, 0)
	stereo := bytes.Clone(wave)
	binary.LittleEndian.PutUint16(stereo[22:], 2)
	f("audio/wav", stereo, false, 0)
	two := Sound{Rate: 24_000}
	two.Append("audio/pcm", samples[:2])
	two.Append("audio/pcm", samples[2:])
	if got := two.Bytes("wav"); !bytes.Equal(got, append(waveHead(24_000, 4), samples...)) || len(two.Bytes("pcm")) != 4 {
		t.Errorf("%q", got)
	}
}

// FuzzUnwave holds that no bytes are too odd to be read, and that what is written is read again.
func FuzzUnwave(f *testing.F) {
	f.Add(append(waveHead(24_000, 4), 1, 2, 3, 4))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVELIST\xff\xff\xff\xff"))
	f.Add([]byte("RIFF....WAVEodd \x01\x00\x00\x00."))
	f.Fuzz(func(t *testing.T, file []byte) {
		rate, samples, ok := unwave(file)
		if !ok || int64(len(samples)) > unknownSize {
			return
		}
		again, same, ok := unwave(append(waveHead(rate, int64(len(samples))), samples...))
		if !ok || again != rate || !bytes.Equal(same, samples) {
			t.Errorf("%d Hz and %d bytes became %d Hz and %d bytes", rate, len(samples), again, len(same))
		}
	})
}
