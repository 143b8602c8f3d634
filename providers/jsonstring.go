package providers

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// short has what may stand behind a backslash by itself.
var short = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// str reads a string from behind its opening quote to behind its closing one.
func (s *scanner) str(i int) (end int, escaped bool, err error) {
	start, run := i, stringRun{raw: s.raw}
	for {
		i = run.next(i)
		if i >= len(s.raw) {
			return 0, false, s.unexpected(i, "'\"'")
		}
		switch c := s.raw[i]; {
		case c == '\\' && i+1 < len(s.raw) && short[s.raw[i+1]]:
			escaped = true
			i += 2
		case c == '"':
			if run.seen&highs != 0 && !utf8.Valid(s.raw[start:i]) {
				return 0, false, errNotUTF8()
			}
			return i + 1, escaped, nil
		case c == '\\':
			escaped = true
			if i, err = s.escape(i + 1); err != nil {
				return 0, false, err
			}
		case c < 0x20:
			return 0, false, s.unexpected(i, "no control character in a string")
		default:
			run.seen |= uint64(c)
			i++
		}
	}
}

// escape reads what stands behind a backslash and is more than one letter; str has read the others.
func (s *scanner) escape(i int) (int, error) {
	if i >= len(s.raw) {
		return 0, s.unexpected(i, "an escape")
	}
	if s.raw[i] != 'u' {
		return 0, s.unexpected(i, "an escape")
	}
	r, ok := s.hex(i + 1)
	if !ok {
		return 0, s.unexpected(i+1, "four hexadecimal digits")
	}
	if !utf16.IsSurrogate(r) {
		return i + 5, nil
	}
	if i+6 < len(s.raw) && s.raw[i+5] == '\\' && s.raw[i+6] == 'u' {
		if low, ok := s.hex(i + 7); ok && utf16.DecodeRune(r, low) != unicode.ReplacementChar {
			return i + 11, nil
		}
	}
	return 0, Invalid("", fmt.Sprintf("the request body has a lone surrogate at byte %d, which is not valid Unicode", i-1))
}

func (s *scanner) hex(i int) (rune, bool) {
	if i+4 > len(s.raw) {
		return 0, false
	}
	var r rune
	for _, c := range s.raw[i : i+4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

// unquote reads a JSON string that was already found valid.
func unquote(quoted []byte) string {
	in := quoted[1 : len(quoted)-1]
	slash := bytes.IndexByte(in, '\\')
	if slash < 0 {
		return string(in)
	}
	out := append(make([]byte, 0, len(in)), in[:slash]...)
	for i := slash; i < len(in); i++ {
		if in[i] != '\\' {
			out = append(out, in[i])
			continue
		}
		i++
		switch in[i] {
		case 'u':
			s := scanner{raw: in}
			r, _ := s.hex(i + 1)
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := s.hex(i + 3)
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out = utf8.AppendRune(out, r)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			out = append(out, in[i])
		}
	}
	return string(out)
}
