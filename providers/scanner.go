package providers

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner validates a JSON text and notes its top-level members. It looks at eight bytes of a
// string at a time, because prompts are mostly long strings.
type scanner struct {
	raw   []byte
	doc   *Document
	watch *Watch
	path  []step
}

// step is one level of the path to the value being read: a member's name, or an element of an
// array, whose end is 0.
type step struct{ start, end int }

// document reads the whole text. That it is UTF-8 is seen string by string, as nothing else of
// JSON may be outside of ASCII; where it is not, that is what is said, whatever else is wrong.
func (s *scanner) document() error {
	err := s.text()
	if err != nil && !utf8.Valid(s.raw) {
		return errNotUTF8()
	}
	return err
}

func errNotUTF8() error { return Invalid("", "the request body is not valid UTF-8") }

func (s *scanner) text() error {
	i := SkipSpace(s.raw, 0)
	if i == len(s.raw) {
		return Invalid("", "the request body is empty; expected a JSON object")
	}
	if s.raw[i] != '{' {
		return Invalid("", "the request body must be a JSON object")
	}
	i, err := s.object(i, 1)
	if err != nil {
		return err
	}
	if i = SkipSpace(s.raw, i); i != len(s.raw) {
		return s.unexpected(i, "the end")
	}
	return nil
}

func (s *scanner) object(i, depth int) (int, error) {
	if depth > MaxDepth {
		return 0, Invalid("", fmt.Sprintf("the request body is nested deeper than %d levels", MaxDepth))
	}
	i = SkipSpace(s.raw, i+1)
	if i < len(s.raw) && s.raw[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(s.raw) || s.raw[i] != '"' {
			return 0, s.unexpected(i, "a member name")
		}
		key := i
		end, escaped, err := s.str(i + 1)
		if err != nil {
			return 0, err
		}
		if i = SkipSpace(s.raw, end); i >= len(s.raw) || s.raw[i] != ':' {
			return 0, s.unexpected(i, "':'")
		}
		i = SkipSpace(s.raw, i+1)
		start := i
		s.path = append(s.path, step{key + 1, end - 1})
		if i, err = s.value(i, depth); err != nil {
			return 0, err
		}
		s.note(span{key, end}, span{start, i}, depth, escaped)
		s.path = s.path[:len(s.path)-1]
		i = SkipSpace(s.raw, i)
		if i < len(s.raw) && s.raw[i] == '}' {
			return i + 1, nil
		}
		if i >= len(s.raw) || s.raw[i] != ',' {
			return 0, s.unexpected(i, "',' or '}'")
		}
		i = SkipSpace(s.raw, i+1)
	}
}

// span is a value's place in the document.
type span struct{ start, end int }

// note records a member: every top-level one, and at any depth those that are governed.
func (s *scanner) note(key, value span, depth int, escaped bool) {
	name := s.raw[key.start+1 : key.end-1]
	if depth == 1 {
		text, known := wellKnown(name)
		if !known {
			text = unquote(s.raw[key.start:key.end])
			for i := range len(text) {
				s.doc.wide = s.doc.wide || text[i] >= utf8.RuneSelf
			}
		}
		s.doc.Fields = append(s.doc.Fields, Field{Name: text, KeyStart: key.start, Start: value.start, End: value.end})
	}
	if s.watch != nil {
		s.watch.match(s, name, s.raw[value.start:value.end], escaped)
	}
}

func (s *scanner) array(i, depth int) (int, error) {
	if depth > MaxDepth {
		return 0, Invalid("", fmt.Sprintf("the request body is nested deeper than %d levels", MaxDepth))
	}
	i = SkipSpace(s.raw, i+1)
	if i < len(s.raw) && s.raw[i] == ']' {
		return i + 1, nil
	}
	s.path = append(s.path, step{})
	for {
		s.path[len(s.path)-1].start = i
		var err error
		if i, err = s.value(i, depth); err != nil {
			return 0, err
		}
		i = SkipSpace(s.raw, i)
		if i < len(s.raw) && s.raw[i] == ']' {
			s.path = s.path[:len(s.path)-1]
			return i + 1, nil
		}
		if i >= len(s.raw) || s.raw[i] != ',' {
			return 0, s.unexpected(i, "',' or ']'")
		}
		i = SkipSpace(s.raw, i+1)
	}
}

func (s *scanner) value(i, depth int) (int, error) {
	if i >= len(s.raw) {
		return 0, s.unexpected(i, "a value")
	}
	switch c := s.raw[i]; {
	case c == '"':
		end, _, err := s.str(i + 1)
		return end, err
	case c == '{':
		return s.object(i, depth+1)
	case c == '[':
		return s.array(i, depth+1)
	case c == 't':
		return s.literal(i, "true")
	case c == 'f':
		return s.literal(i, "false")
	case c == 'n':
		return s.literal(i, "null")
	case c == '-' || c >= '0' && c <= '9':
		return s.number(i)
	}
	return 0, s.unexpected(i, "a value")
}

func (s *scanner) literal(i int, word string) (int, error) {
	if len(s.raw)-i < len(word) || string(s.raw[i:i+len(word)]) != word {
		return 0, s.unexpected(i, word)
	}
	return i + len(word), nil
}

func (s *scanner) number(i int) (int, error) {
	if s.raw[i] == '-' {
		i++
	}
	switch {
	case i < len(s.raw) && s.raw[i] == '0':
		i++
	default:
		j := s.digits(i)
		if j == i {
			return 0, s.unexpected(i, "a digit")
		}
		i = j
	}
	if i < len(s.raw) && s.raw[i] == '.' {
		j := s.digits(i + 1)
		if j == i+1 {
			return 0, s.unexpected(j, "a digit")
		}
		i = j
	}
	if i < len(s.raw) && (s.raw[i] == 'e' || s.raw[i] == 'E') {
		i++
		if i < len(s.raw) && (s.raw[i] == '+' || s.raw[i] == '-') {
			i++
		}
		j := s.digits(i)
		if j == i {
			return 0, s.unexpected(i, "a digit")
		}
		i = j
	}
	return i, nil
}

func (s *scanner) digits(i int) int {
	for i < len(s.raw) && s.raw[i] >= '0' && s.raw[i] <= '9' {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops marks, with the highest bit of a byte, the first of eight that is a quote, a backslash or a
// control character; bits above it may be wrong, so only the lowest counts.
func stops(w uint64) uint64 {
	// A quote is the one byte above the control characters that is below 0x21 with this bit turned.
	low, slash := w^(ones*('"'^0x20)), w^(ones*'\\')
	return (((low - ones*0x21) &^ low) | ((slash - ones) &^ slash)) & highs
}

// patience is after how many bytes of a string that hold nothing special more of that is expected.
const patience = 48

// plainRun goes on from i while 32 bytes at a time are ASCII and nothing that ends or escapes.
func plainRun(b []byte, i int) int {
	for ; i+32 <= len(b); i += 32 {
		p := (*[32]byte)(b[i:])
		first, second := binary.LittleEndian.Uint64(p[:]), binary.LittleEndian.Uint64(p[8:])
		third, fourth := binary.LittleEndian.Uint64(p[16:]), binary.LittleEndian.Uint64(p[24:])
		if (marked(first)|marked(second)|marked(third)|marked(fourth))&highs != 0 {
			break
		}
	}
	return i
}

// marked is stops, of bytes outside of ASCII too, for less work.
func marked(w uint64) uint64 {
	return w | (w ^ (ones * ('"' ^ 0x20)) - ones*0x21) | (w ^ (ones * '\\') - ones)
}

// short has what may stand behind a backslash by itself.
var short = [256]bool{'"': true, '\\': true, '/': true, 'b': true, 'f': true, 'n': true, 'r': true, 't': true}

// str reads a string from behind its opening quote to behind its closing one.
func (s *scanner) str(i int) (end int, escaped bool, err error) {
	start, seen := i, uint64(0)
	for {
		for plain := i + patience; i+8 <= len(s.raw); {
			w := binary.LittleEndian.Uint64(s.raw[i:])
			seen |= w
			if stop := stops(w); stop != 0 {
				i += bits.TrailingZeros64(stop) >> 3
				break
			}
			if i += 8; i >= plain {
				i = plainRun(s.raw, i)
				plain = i + patience
			}
		}
		if i >= len(s.raw) {
			return 0, false, s.unexpected(i, "'\"'")
		}
		switch c := s.raw[i]; {
		case c == '\\' && i+1 < len(s.raw) && short[s.raw[i+1]]:
			escaped = true
			i += 2
		case c == '"':
			if seen&highs != 0 && !utf8.Valid(s.raw[start:i]) {
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
			seen |= uint64(c)
			i++
		}
	}
}

func (s *scanner) escape(i int) (int, error) {
	if i >= len(s.raw) {
		return 0, s.unexpected(i, "an escape")
	}
	if short[s.raw[i]] {
		return i + 1, nil
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

func (s *scanner) unexpected(i int, want string) error {
	if i >= len(s.raw) {
		return Invalid("", fmt.Sprintf("the request body is not valid JSON: it ends at byte %d where %s was expected", len(s.raw), want))
	}
	r, _ := utf8.DecodeRune(s.raw[i:])
	return Invalid("", fmt.Sprintf("the request body is not valid JSON: %s at byte %d where %s was expected", strconv.QuoteRune(r), i, want))
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

// fold gives names that differ only in case, by Unicode's simple folding, one spelling.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}
