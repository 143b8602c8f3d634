package telemetry

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// Plain writes JSON lines on so that they show what they say wherever they are read: characters
// that a terminal obeys, or that turn text around, are escaped. JSON means the same with them
// escaped. Each Write has whole characters.
func Plain(w io.Writer) io.Writer { return plain{w} }

type plain struct{ to io.Writer }

// Write implements io.Writer.
func (p plain) Write(b []byte) (int, error) {
	if !suspect(b) {
		return p.to.Write(b)
	}
	if _, err := p.to.Write(escaped(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// suspect looks for the bytes that misleading characters begin with. Most lines have none.
func suspect(b []byte) bool {
	for _, first := range []byte{0x7f, 0xc2, 0xd8, 0xe2} {
		if bytes.IndexByte(b, first) >= 0 {
			return true
		}
	}
	return false
}

func escaped(b []byte) []byte {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(b)+64)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if misleading(r) {
			out = append(out, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		} else {
			out = append(out, b[:size]...)
		}
		b = b[size:]
	}
	return out
}

// misleading are C1's control characters and DEL, marks of direction, and line ends that are not
// ASCII's. ASCII's own control characters JSON escapes already.
func misleading(r rune) bool {
	return r >= 0x7f && r <= 0x9f || r == 0x061c || r == 0x200e || r == 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
