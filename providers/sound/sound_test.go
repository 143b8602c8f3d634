package sound

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

func le16(n int) string    { return string(binary.LittleEndian.AppendUint16(nil, uint16(n))) }
func le32(n int) string    { return string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
func be32(n int) string    { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }
func be64(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

func zeros(n int) string { return strings.Repeat("\x00", n) }

// wave is a WAV file: its format, channels, rate and bits, what it says of its data, its data.
func wave(format, channels, rate, bits, said int, data string, before string) string {
	body := "fmt " + le32(16) + le16(format) + le16(channels) + le32(rate) + le32(rate*channels*bits/8) + le16(channels*bits/8) + le16(bits)
	body += before + "data" + le32(said) + data
	return "RIFF" + le32(len(body)+4) + "WAVE" + body
}

// flac is the head of a FLAC file.
func flac(rate, samples uint64) string {
	return "fLaC" + "\x00\x00\x00\x22" + zeros(10) + be64(rate<<44|1<<41|15<<36|samples) + zeros(16)
}

// page is a page of Ogg that ends at a number of samples.
func page(samples uint64, packet string) string {
	at := string(binary.LittleEndian.AppendUint64(nil, samples))
	return "OggS\x00\x02" + at + zeros(12) + "\x01" + string(rune(len(packet))) + packet
}

func mp4(version byte, scale, length int) string {
	box := string(rune(version)) + zeros(3)
	if version == 0 {
		box += zeros(8) + be32(scale) + be32(length)
	} else {
		box += zeros(16) + be32(scale) + be64(uint64(length))
	}
	box += zeros(80)
	return be32(len(box)+16) + "moov" + be32(len(box)+8) + "mvhd" + box
}

func TestLength(t *testing.T) {
	f := func(name, contentType, file string, want int64, wantCounted bool) {
		t.Helper()
		b := []byte(file)
		ms, counted := Length(contentType, b[:min(len(b), Part)], b[max(0, len(b)-Part):], int64(len(b)))
		if ms != want || counted != wantCounted {
			t.Errorf("%s: %d ms, counted %v; want %d, %v", name, ms, counted, want, wantCounted)
		}
	}
	f("nothing", "audio/mpeg", "", 0, false)
	f("noise", "audio/mpeg", strings.Repeat("noise", 100), 0, false)
	f("samples", "audio/pcm; rate=24000", zeros(48*250), 250, true)

	second := zeros(16_000 * 2)
	f("wav", "", wave(1, 1, 16_000, 16, len(second), second, ""), 1000, true)
	f("wav of a stream", "", wave(1, 1, 16_000, 16, -1, second, ""), 1000, true)
	f("wav that says less than there is", "", wave(1, 1, 16_000, 16, 16_000, second, ""), 500, true)
	f("wav in stereo, 24 bits", "", wave(1, 2, 44_100, 24, 6*44_100, zeros(6*44_100), "LIST"+le32(3)+zeros(4)), 1000, true)
	f("wav of A-law", "", wave(6, 1, 8_000, 8, 8_000, zeros(8_000), ""), 1000, true)
	f("wav of something else", "", wave(85, 1, 8_000, 8, 4_000, zeros(4_000), ""), 500, false)
	f("wav without a format", "", "RIFF"+le32(20)+"WAVEdata"+le32(4)+zeros(4), 0, false)
	f("a tenth of a second and a sample", "", wave(1, 1, 16_000, 16, 3202, zeros(3202), ""), 101, true)

	f("flac", "", flac(44_100, 44_100*3)+zeros(500), 3000, false)
	f("flac of a stream", "", flac(44_100, 0)+zeros(500), 0, false)
	opus := page(0, "OpusHead\x01\x01"+le16(312)+zeros(7))
	f("opus", "", opus+zeros(9000)+page(48_312, "x")+page(96_312, "end"), 2000, false)
	f("opus that is cut", "", opus+zeros(9000), 0, false)
	f("vorbis", "", page(0, "\x01vorbis"+zeros(4)+"\x02"+le32(44_100)+zeros(20))+zeros(200_000)+page(44_100*7, "end"), 7000, false)
	f("m4a", "", be32(16)+"ftypM4A "+zeros(4)+mp4(0, 1000, 8470)+zeros(300), 8470, false)
	f("m4a, its head at the end", "", be32(16)+"ftypM4A "+zeros(200_000)+mp4(1, 44_100, 44_100*20), 20_000, false)
	f("mp4 in fragments", "", be32(16)+"ftypiso6"+zeros(4)+mp4(0, 1000, 0), 0, false)

	frame := "\xff\xfb\x90\x00" + zeros(413) // 128 kbit/s, 44.1 kHz
	f("mp3", "audio/mpeg", strings.Repeat(frame, 100), 100*417*8/128, false)
	f("mp3 behind a tag", "", "ID3\x04\x00\x00\x00\x00\x01\x00"+zeros(128)+strings.Repeat(frame, 100), 100*417*8/128, false)
	counting := "\xff\xfb\x90\x00" + zeros(32) + "Xing" + be32(1) + be32(766) + zeros(413-44)
	f("mp3 that counts its frames", "", counting+frame+frame, 20_010, false)
	low := "\xff\xf3\x40\xc0" + zeros(4*8*1000*72/1000) // MPEG 2, 32 kbit/s, 22.05 kHz
	f("mp3 of the lower rates", "", strings.Repeat(low[:104], 50), 50*104*8/32, false)
	f("one mark is no mp3", "", "\xff\xfb\x90\x00"+strings.Repeat("noise", 200), 0, false)
	aac := "\xff\xf1\x50\x80\x02\x1f\xfc" + zeros(9) // 16 bytes, 44.1 kHz
	f("aac", "", strings.Repeat(aac, 441), 10_240, false)

	webm := "\x1a\x45\xdf\xa3\x80\x2a\xd7\xb1\x83\x0f\x42\x40"
	f("webm", "", webm+"\x44\x89\x88"+be64(math.Float64bits(12_345)), 12_345, false)
	cluster := "\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff" // of a size that is not known
	f("webm of a stream", "", webm+zeros(100)+cluster+"\xe7\x82\x13\x88\xa3\x85\x81\x00\x14\x80x\xa3\x85\x81\x01\x40\x80x", 5000+320, false)
	f("webm of nothing", "", webm, 0, false)
}

func TestBound(t *testing.T) {
	f := func(ms int64, counted bool, size, want int64) {
		t.Helper()
		if got := Bound(ms, counted, size); got != want {
			t.Errorf("%d ms (%v) of %d bytes: %d, want %d", ms, counted, size, got, want)
		}
	}
	f(1000, true, 1<<30, 1000)
	f(60_000, false, 480_000, 60_000)
	f(1, false, 25<<20, 25<<20/64)  // no file of 25 MB is a millisecond long
	f(0, false, 750_000, 1_000_000) // 6 kbit/s
}

func FuzzLength(f *testing.F) {
	f.Add("audio/mpeg", []byte(wave(1, 1, 16_000, 16, 100, zeros(100), "")), int64(200))
	f.Add("", []byte(flac(44_100, 1<<35)), int64(99))
	f.Add("", []byte(page(1<<62, "OpusHead\x01\x01"+le16(1)+zeros(7))), int64(99))
	f.Add("", []byte(mp4(1, 1, math.MaxInt)), int64(1))
	f.Add("", []byte("\x1a\x45\xdf\xa3\x2a\xd7\xb1\x88\xff\xff\xff\xff\xff\xff\xff\xff\x1f\x43\xb6\x75\xff\xe7\x88\xff\xff\xff\xff\xff\xff\xff\xff"), int64(1))
	f.Add("", bytes.Repeat([]byte("\xff\xf1\x50\x80\x02\x1f\xfc\x00"), 9), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, contentType string, file []byte, size int64) {
		size = min(size, 1<<50) // no upload is as large
		ms, counted := Length(contentType, file, file, size)
		if ms < 0 || counted && ms > size*1000 { // no less than a sample a second
			t.Errorf("%d ms of %d bytes, counted %v", ms, size, counted)
		}
		if bound := Bound(ms, counted, size); size > 0 && bound < ms {
			t.Errorf("the bound of %d ms is %d", ms, bound)
		}
	})
}
