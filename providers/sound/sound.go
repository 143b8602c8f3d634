// Package sound tells how long a sound is by the bytes it begins and ends with. It decodes
// nothing: what a file says of itself is taken as it is.
package sound

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Part is how much of a sound's beginning, and of its end, is worth keeping for Length.
const Part = 64 << 10

// Length gives how long a sound is, in milliseconds, by its content type, its first and its last
// bytes, which may overlap, and its size; 0 where that is not known. counted is set where the
// size alone says it: samples of a fixed length, not a file's word.
func Length(contentType string, head, tail []byte, size int64) (ms int64, counted bool) {
	f := file{head, tail, size}
	switch {
	case size <= 0:
		return 0, false
	case hasType(contentType, "audio/pcm"):
		return size / pcmMs, true
	case f.at(0, "RIFF") && f.at(8, "WAVE"):
		return f.wave()
	case f.at(0, "fLaC"):
		return f.flac(0), false
	case f.at(0, "OggS"):
		return f.ogg(), false
	case f.at(4, "ftyp"):
		return f.mp4(), false
	case f.at(0, "\x1a\x45\xdf\xa3"):
		return f.webm(), false
	}
	return f.mpeg(), false
}

// pcmMs is the size of a millisecond of OpenAI's bare samples: 24 kHz of 16 bits.
// Source: https://platform.openai.com/docs/guides/text-to-speech#supported-output-formats
const pcmMs = 24 * 2

func hasType(contentType, want string) bool {
	return len(contentType) >= len(want) && strings.EqualFold(contentType[:len(want)], want)
}

// The bit rates that a length is held to, in bits a millisecond: no sound that is meant to be
// heard has more than the one, and none that is meant to be understood less than the other.
const (
	mostRate  = 512
	leastRate = 6
)

// Bound gives how long a sound can be, by what Length said of it: one that is not known is as
// long as the lowest bit rate makes it, and none is shorter than the highest does.
func Bound(ms int64, counted bool, size int64) int64 {
	switch {
	case counted:
		return ms
	case ms == 0:
		return size * 8 / leastRate
	}
	return max(ms, size*8/mostRate)
}

// file is what is kept of one.
type file struct {
	head, tail []byte
	size       int64
}

func (f *file) at(i int, word string) bool {
	return len(f.head) >= i+len(word) && string(f.head[i:i+len(word)]) == word
}

// millis is how long n of a thing last of which there are so many a second; a millisecond that
// has begun counts. No sound is longer than a year, so that no nonsense overflows.
func millis(n, perSecond int64) int64 {
	const year = 366 * 24 * 3600
	if n <= 0 || perSecond <= 0 || n/perSecond > year {
		return 0
	}
	return n/perSecond*1000 + (n%perSecond*1000+perSecond-1)/perSecond
}

// wave reads RIFF. Of formats that are no samples the byte rate is the file's word.
// Source: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
func (f *file) wave() (ms int64, counted bool) {
	var align, rate, bytesPerSecond int64
	for i := 12; i+8 <= len(f.head); {
		id, size := string(f.head[i:i+4]), int64(binary.LittleEndian.Uint32(f.head[i+4:]))
		body := f.head[i+8:]
		switch {
		case id == "fmt " && size >= 16 && len(body) >= 16:
			channels, bits := int64(binary.LittleEndian.Uint16(body[2:])), int64(binary.LittleEndian.Uint16(body[14:]))
			rate, bytesPerSecond = int64(binary.LittleEndian.Uint32(body[4:])), int64(binary.LittleEndian.Uint32(body[8:]))
			switch binary.LittleEndian.Uint16(body) {
			case 1, 3, 6, 7, 0xfffe: // integers, floats, A-law, µ-law, and these in more words
				align = channels * ((bits + 7) / 8)
			}
		case id == "data":
			rest := f.size - int64(i) - 8
			if size == 0 || size > rest {
				size = rest // of a stream, whose size nobody knew
			}
			if align > 0 && rate > 0 {
				return millis(size/align, rate), true
			}
			return millis(size, bytesPerSecond), false
		}
		next := int64(i) + 8 + size + size%2
		if next > int64(len(f.head)) {
			break
		}
		i = int(next)
	}
	return 0, false
}

// flac reads the stream's own account of itself, which begins at i. It has no length where it was
// made as it came.
// Source: RFC 9639, section 8.2
func (f *file) flac(i int) int64 {
	const info = 8 // behind the mark and the block's head
	if len(f.head) < i+info+18 || f.head[i+4]&0x7f != 0 {
		return 0
	}
	n := binary.BigEndian.Uint64(f.head[i+info+10:])
	return millis(int64(n&(1<<36-1)), int64(n>>44))
}

// ogg takes the place of the last page: the number of samples until its end.
// Source: RFC 3533, RFC 7845
func (f *file) ogg() int64 {
	const page = 27
	packet := f.head[min(len(f.head), page):]
	if len(f.head) >= page {
		packet = packet[min(len(packet), int(f.head[26])):] // behind the table of segments
	}
	rate, skip := int64(0), int64(0)
	switch {
	case bytes.HasPrefix(packet, []byte("OpusHead")) && len(packet) >= 12:
		rate, skip = 48_000, int64(binary.LittleEndian.Uint16(packet[10:]))
	case bytes.HasPrefix(packet, []byte("\x01vorbis")) && len(packet) >= 16:
		rate = int64(binary.LittleEndian.Uint32(packet[12:]))
	case bytes.HasPrefix(packet, []byte("\x7fFLAC")) && len(packet) >= 9+18+8:
		rate = int64(binary.BigEndian.Uint32(packet[9+8+9:]) >> 4 & (1<<20 - 1))
	}
	for end := len(f.tail); rate > 0; {
		i := bytes.LastIndex(f.tail[:end], []byte("OggS\x00"))
		if i < 0 {
			return 0
		}
		if i+14 <= len(f.tail) {
			if samples := int64(binary.LittleEndian.Uint64(f.tail[i+6:])); samples > 0 {
				return millis(samples-skip, rate)
			}
		}
		end = i
	}
	return 0
}

// mp4 reads the film's head, which stands at the beginning or at the end.
// Source: ISO/IEC 14496-12, mvhd
func (f *file) mp4() int64 {
	for _, part := range [...][]byte{f.head, f.tail} {
		i := bytes.Index(part, []byte("mvhd"))
		if i < 0 {
			continue
		}
		box := part[i+4:]
		switch {
		case len(box) >= 20 && box[0] == 0:
			return millis(int64(binary.BigEndian.Uint32(box[16:])), int64(binary.BigEndian.Uint32(box[12:])))
		case len(box) >= 32 && box[0] == 1:
			return millis(int64(binary.BigEndian.Uint64(box[24:])&(1<<62-1)), int64(binary.BigEndian.Uint32(box[20:])))
		}
	}
	return 0
}
