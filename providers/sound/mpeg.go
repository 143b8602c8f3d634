package sound

import (
	"bytes"
	"encoding/binary"
)

// mpeg reads the frames of MP3 and AAC. A first frame that counts all frames is believed; else
// all of the file is taken to be like the frames it begins with.
func (f *file) mpeg() int64 {
	i := f.id3()
	for most := min(len(f.head), i+4096); i+7 < most; i++ {
		if f.head[i] != 0xff || f.head[i+1]&0xe0 != 0xe0 {
			continue
		}
		if ms := f.adts(i); ms > 0 {
			return ms
		}
		if ms := f.layer3(i); ms > 0 {
			return ms
		}
	}
	return 0
}

// id3 is where the sound begins, behind the tags of a file.
// Source: https://id3.org/id3v2.4.0-structure
func (f *file) id3() int {
	if !f.at(0, "ID3") || len(f.head) < 10 {
		return 0
	}
	n := 0
	for _, b := range f.head[6:10] {
		n = n<<7 | int(b&0x7f)
	}
	return 10 + n
}

// Bit rates in kbit/s by index, of MPEG 1 and of the later halves of its sampling rates.
// Source: ISO/IEC 11172-3, 13818-3
var bitRates = [2][16]int64{
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

// frame is one of layer 3.
type frame struct {
	kbits, rate, samples int64
	size                 int // bytes
	side                 int // of what stands before the first frame's own data
}

func layer3Frame(b []byte) (fr frame, ok bool) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe6 != 0xe2 { // sync, layer 3
		return fr, false
	}
	version := b[1] >> 3 & 3 // 3 is MPEG 1, 2 is 2, 0 is 2.5
	rate := [...]int64{44_100, 48_000, 32_000, 0}[b[2]>>2&3]
	if version == 1 || rate == 0 {
		return fr, false
	}
	half, mono := 0, b[3]>>6 == 3
	fr.samples, fr.side = 1152, 32
	if version != 3 {
		half, fr.samples, fr.side = 1, 576, 17
		rate /= 2
	}
	if version == 0 {
		rate /= 2
	}
	if mono {
		fr.side = [...]int{17, 9}[half]
	}
	fr.rate, fr.kbits = rate, bitRates[half][b[2]>>4]
	if fr.kbits == 0 {
		return fr, false
	}
	fr.size = int(fr.samples/8*fr.kbits*1000/rate) + int(b[2]>>1&1)
	return fr, true
}

func (f *file) layer3(i int) int64 {
	fr, ok := layer3Frame(f.head[i:])
	if !ok {
		return 0
	}
	if next := i + fr.size; next+4 <= len(f.head) {
		if _, again := layer3Frame(f.head[next:]); !again {
			return 0 // it only looks like one
		}
	}
	if frames := counted(f.head[i:min(len(f.head), i+fr.size)], fr.side); frames > 0 {
		return millis(frames*fr.samples, fr.rate)
	}
	return (f.size - int64(i)) * 8 / fr.kbits
}

// counted gives how many frames the first one says there are.
func counted(first []byte, side int) int64 {
	body := first[min(len(first), 4+side):]
	switch {
	case (bytes.HasPrefix(body, []byte("Xing")) || bytes.HasPrefix(body, []byte("Info"))) && len(body) >= 12 && body[7]&1 != 0:
		return int64(binary.BigEndian.Uint32(body[8:]))
	case len(first) >= 36+18 && string(first[36:40]) == "VBRI":
		return int64(binary.BigEndian.Uint32(first[36+14:]))
	}
	return 0
}

var adtsRates = [16]int64{96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350}

// adts walks the frames of AAC that it has, of 1,024 samples each.
// Source: ISO/IEC 14496-3, 1.A.2
func (f *file) adts(i int) int64 {
	var frames, bytes, rate int64
	for at := i; at+7 <= len(f.head); {
		b := f.head[at:]
		if b[0] != 0xff || b[1]&0xf6 != 0xf0 {
			break
		}
		size := int64(b[3]&3)<<11 | int64(b[4])<<3 | int64(b[5])>>5
		if rate = adtsRates[b[2]>>2&15]; size < 7 || rate == 0 {
			break
		}
		frames, bytes, at = frames+1, bytes+size, at+int(size)
	}
	if frames < 2 || rate == 0 {
		return 0
	}
	return millis((f.size-int64(i))*frames/bytes*1024, rate)
}
