package providers

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"
)

// The flat walk over an upstream's JSON, for what runs on every event: it validates nothing and
// allocates nothing, and on bytes that are no JSON it just ends early.

// SkipSpace gives the place of the first byte at or behind i that is not white space.
func SkipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// StringEnd gives the place of the quote that ends the string which begins at i, len(b) where
// none does.
func StringEnd(b []byte, i int) int {
	start := i
	for i++; i < len(b); i++ {
		next := bytes.IndexByte(b[i:], '"')
		if next < 0 {
			return len(b)
		}
		i += next
		slashes := 0
		for i-1-slashes > start && b[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
	return len(b)
}

// PastValue gives the place behind the value that begins at i, i where none does.
func PastValue(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '"':
		return min(StringEnd(b, i)+1, len(b))
	case '{', '[':
		return pastNested(b, i)
	}
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ':', ' ', '\t', '\r', '\n':
			return i
		}
		i++
	}
	return i
}

func pastNested(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = StringEnd(b, i)
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// Members visits the members of an object until visit says false: their names, as they are written
// between the quotes, and their values.
func Members(raw []byte, visit func(name, value []byte) bool) {
	i := SkipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return
	}
	for i++; ; i++ {
		i = SkipSpace(raw, i)
		if i >= len(raw) || raw[i] != '"' {
			return
		}
		nameEnd := PastValue(raw, i)
		name := raw[i+1 : max(i+1, nameEnd-1)]
		i = SkipSpace(raw, nameEnd)
		if i >= len(raw) || raw[i] != ':' {
			return
		}
		i = SkipSpace(raw, i+1)
		end := PastValue(raw, i)
		if end == i || !visit(name, raw[i:end]) {
			return
		}
		i = SkipSpace(raw, end)
		if i >= len(raw) || raw[i] != ',' {
			return
		}
	}
}

// Member gives the value of an object's member without reading what follows it, nil where it is
// absent.
func Member(raw []byte, want string) (found []byte) {
	Members(raw, func(name, value []byte) bool {
		if string(name) != want {
			return true
		}
		found = value
		return false
	})
	return found
}

// Elements visits the elements of a list until visit says false.
func Elements(raw []byte, visit func(value []byte) bool) {
	i := SkipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '[' {
		return
	}
	for i++; ; i++ {
		i = SkipSpace(raw, i)
		end := PastValue(raw, i)
		if end == i || !visit(raw[i:end]) {
			return
		}
		i = SkipSpace(raw, end)
		if i >= len(raw) || raw[i] != ',' {
			return
		}
	}
}

// IsObject reports whether a value, nil for none, is an object.
func IsObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

// Text gives a value that is a string, "" for another and for none. A known one is not allocated.
func Text(value []byte, known ...string) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return KnownWord(value[1:len(value)-1], known...)
	}
	return gjson.ParseBytes(value).Str
}

// KnownWord gives a word as a string, and a known one without an allocation.
func KnownWord(word []byte, known ...string) string {
	for _, k := range known {
		if string(word) == k {
			return k
		}
	}
	return string(word)
}

// Count reads a number of things, 0 or more. A part of one is left out; what is no number, or
// absurd, is not a count.
func Count(value []byte) (n int64, ok bool) {
	if len(value) == 0 || len(value) > 15 {
		return 0, false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return inexact(value)
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// inexact reads a count that is written as 12.0 or 1.2e1.
//
//go:noinline
func inexact(value []byte) (int64, bool) {
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f < 0 || f >= 1e15 {
		return 0, false
	}
	return int64(f), true
}

// maxReplyDepth bounds the nesting of an upstream's JSON. gjson validates by recursion, and Go
// ends the whole process when a stack overflows.
const maxReplyDepth = 4096

// ValidJSON reports whether bytes from outside are one JSON value that is safe to look into.
func ValidJSON(b []byte) bool {
	return !tooDeep(b) && gjson.ValidBytes(b)
}

func tooDeep(b []byte) bool {
	// Nearly always a count answers, which is much quicker than the walk.
	if len(b) <= maxReplyDepth || bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) <= maxReplyDepth {
		return false
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = StringEnd(b, i)
		case '[', '{':
			if depth++; depth > maxReplyDepth {
				return true
			}
		case ']', '}':
			depth--
		}
	}
	return false
}
