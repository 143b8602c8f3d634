package storage

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

func appendNumber(dst []byte, field int, n int64) []byte {
	if n == 0 {
		return dst
	}
	return binary.AppendVarint(append(dst, byte(field<<1|kindNumber)), n)
}

func appendText(dst []byte, field int, s string) []byte {
	dst = binary.AppendUvarint(append(dst, byte(field<<1|kindBytes)), uint64(len(s)))
	return append(dst, s...)
}

// appendForeign appends a text that may hold anything. PostgreSQL takes no NUL and nothing that
// is not UTF-8, and one such entry would hold up all others.
func appendForeign(dst []byte, field int, s string, bound int) []byte {
	if s == "" {
		return dst
	}
	s = clip(s, bound)
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "?")
	}
	return appendText(dst, field, s)
}

// clip cuts at the bound, or before the character that stands across it.
func clip(s string, bound int) string {
	if len(s) <= bound {
		return s
	}
	for cut := bound; cut > bound-utf8.UTFMax; cut-- {
		if utf8.RuneStart(s[cut]) {
			return s[:cut]
		}
	}
	return s[:bound]
}

// field is one of an encoded entry: n of kind 0, text of kind 1.
type field struct {
	number, kind int
	n            int64
	text         string
}

// next reads the first field of s, and gives what follows it.
func (f *field) next(s string) (rest string, err error) {
	f.number, f.kind = int(s[0]>>1), int(s[0]&1)
	v, size := uint64(0), 0
	if len(s) > 1 && s[1] < 0x80 { // mostly
		v, size = uint64(s[1]), 1
	} else if v, size = uvarint(s[1:]); size == 0 {
		return "", errEntry
	}
	rest = s[1+size:]
	if f.kind == kindNumber {
		f.n = int64(v>>1) ^ -int64(v&1)
		return rest, nil
	}
	if v > uint64(len(rest)) {
		return "", errEntry
	}
	f.text = rest[:v]
	return rest[v:], nil
}

// uvarint reads a varint, of size 0 where there is none. binary's wants bytes.
func uvarint(s string) (v uint64, size int) {
	for i := range min(len(s), binary.MaxVarintLen64) {
		v |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
