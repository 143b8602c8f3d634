// Package gemini speaks Google's generateContent to the Gemini Developer API: the hub's words to
// and from native bodies, whole and streamed. It must never open a connection, read a clock or
// hold a key, and it keeps no state between replies.
//
// Source: https://ai.google.dev/api/generate-content
package gemini

import (
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Language is the wire format's name, and the minter of the seals it makes.
const Language = "gemini"

// Dialect speaks generateContent and streamGenerateContent?alt=sse.
type Dialect struct{}

var _ providers.Dialect = Dialect{}

// generation gives the first number of a model's name: 3 of "gemini-3-pro-preview"; 0 where the
// name does not say ("gemini-flash-latest").
func generation(model string) int {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(model, "models/"), "gemini-")
	if !ok {
		return 0
	}
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// modern reports a model of generation 3 and later: it thinks by level, validates thought
// signatures, and takes tools and a response schema together.
func modern(call *providers.Call) bool {
	return generation(call.Model) >= 3 || len(call.Can.Efforts) > 0
}
