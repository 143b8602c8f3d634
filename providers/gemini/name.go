package gemini

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// A function's name must match ^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$. OpenAI's names may begin with
// a digit or a dash; such a one is sent as the mark and its bytes, those that do not fit as a
// colon and two hex digits. A reply's name says by itself that it was changed, so that no table
// is needed to change it back.
const (
	nameMark = "n:"
	nameMax  = 128
)

func encodeName(param, name string) (string, error) {
	if name == "" {
		return "", providers.Invalid(param, "the name of a function is missing")
	}
	out := name
	if !nativeName(name) {
		var b strings.Builder
		b.WriteString(nameMark)
		for i := range len(name) {
			if c := name[i]; c != ':' && nameByte(c) {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, ":%02x", c)
			}
		}
		out = b.String()
	}
	if len(out) > nameMax {
		return "", providers.Invalid(param, fmt.Sprintf("the function's name %q is too long for this model", name))
	}
	return out, nil
}

func decodeName(name string) string {
	rest, ok := strings.CutPrefix(name, nameMark)
	if !ok {
		return name
	}
	var b strings.Builder
	for {
		plain, escaped, more := strings.Cut(rest, ":")
		b.WriteString(plain)
		if !more {
			return b.String()
		}
		c, err := hex.DecodeString(escaped[:min(2, len(escaped))])
		if err != nil || len(c) != 1 {
			return name // not one of ours
		}
		b.Write(c)
		rest = escaped[2:]
	}
}

func nativeName(name string) bool {
	if c := name[0]; c == '-' || c == '.' || c == ':' || c >= '0' && c <= '9' || strings.HasPrefix(name, nameMark) {
		return false
	}
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return true
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '_' || c == '.' || c == ':' || c == '-'
}
