package providers

import (
	"fmt"
	"strconv"
	"strings"
)

// nameEscape begins an escaped character in a tool's name, as in "get__u2e__weather" for
// "get.weather".
const nameEscape = "__u"

// PlainToolName spells a tool's name in the characters that all languages take, letters, digits,
// "_" and "-". SaidToolName undoes it by itself, because replies are read without the request at
// hand; so a name that only looks spelt like that is spelt too.
func PlainToolName(name string) string {
	if plainName(name) && SaidToolName(name) == name {
		return name
	}
	var out strings.Builder
	for i, r := range name {
		if r < 0x80 && plainNameByte(byte(r)) && !strings.HasPrefix(name[i:], nameEscape) {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, "%s%x__", nameEscape, r)
		}
	}
	return out.String()
}

// SaidToolName undoes PlainToolName.
func SaidToolName(name string) string {
	if !strings.Contains(name, nameEscape) {
		return name
	}
	var out strings.Builder
	for name != "" {
		if r, rest, ok := unescapeName(name); ok {
			out.WriteRune(r)
			name = rest
			continue
		}
		out.WriteByte(name[0])
		name = name[1:]
	}
	return out.String()
}

// unescapeName reads the escaped character that s begins with, if it does.
func unescapeName(s string) (r rune, rest string, ok bool) {
	digits, ok := strings.CutPrefix(s, nameEscape)
	if !ok {
		return 0, s, false
	}
	digits, rest, ok = strings.Cut(digits, "__")
	if !ok || len(digits) > 6 {
		return 0, s, false
	}
	n, err := strconv.ParseUint(digits, 16, 21)
	if err != nil || digits != strconv.FormatUint(n, 16) {
		return 0, s, false
	}
	return rune(n), rest, true
}

func plainName(name string) bool {
	for i := range len(name) {
		if !plainNameByte(name[i]) {
			return false
		}
	}
	return true
}

func plainNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}
