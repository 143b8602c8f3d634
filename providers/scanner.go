package providers

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
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

func (s *scanner) unexpected(i int, want string) error {
	if i >= len(s.raw) {
		return Invalid("", fmt.Sprintf("the request body is not valid JSON: it ends at byte %d where %s was expected", len(s.raw), want))
	}
	r, _ := utf8.DecodeRune(s.raw[i:])
	return Invalid("", fmt.Sprintf("the request body is not valid JSON: %s at byte %d where %s was expected", strconv.QuoteRune(r), i, want))
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
