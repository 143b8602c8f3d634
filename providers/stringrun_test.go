package providers

import (
	"math/rand/v2"
	"testing"
)

// TestStopMask holds whole blocks, as any machine reads them, against bytes taken one by one.
func TestStopMask(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	usual := []byte("abcxyz !#[]~\x7f")
	rare := []byte{0, 1, 0x1f, 0x20, 0x21, '"', '#', '\\', ']', 0x80, 0x82, 0xa0, 0xa2, 0xdc, 0xff}
	for range 20_000 {
		b := make([]byte, r.IntN(400))
		for i := range b {
			b[i] = usual[r.IntN(len(usual))]
		}
		for range r.IntN(4) {
			if len(b) > 0 {
				b[r.IntN(len(b))] = rare[r.IntN(len(rare))]
			}
		}
		from := r.IntN(len(b) + 1)
		wantAt, wantMask, wantASCII := plainStopMask(b, from)
		for name, f := range stopMasks() {
			if at, mask, ascii := f(b, from); at != wantAt || mask != wantMask || ascii != wantASCII {
				t.Fatalf("%s: %q from %d: at %d, mask %x, ascii %t; want %d, %x, %t", name, b, from, at, mask, ascii, wantAt, wantMask, wantASCII)
			}
		}
	}
}

func plainStopMask(b []byte, i int) (at int, mask uint64, ascii bool) {
	for ascii = true; i+64 <= len(b); i += 64 {
		for k, c := range b[i : i+64] {
			if c == '"' || c == '\\' || c < 0x20 {
				mask |= 1 << k
			}
			ascii = ascii && c < 0x80
		}
		if mask != 0 {
			break
		}
	}
	return i, mask, ascii
}

func TestStops(t *testing.T) {
	for c := range 256 {
		for k := range 8 {
			w := uint64(0x6161616161616161)&^(0xff<<(8*k)) | uint64(c)<<(8*k)
			var want uint64
			if c == '"' || c == '\\' || c < 0x20 {
				want = 0x80 << (8 * k)
			}
			if got := stops(w); got != want {
				t.Fatalf("stops(%x) is %x, want %x", w, got, want)
			}
		}
	}
}
