// Package media reads and writes the bodies of OpenAI's sounds and images, for the pairs that
// serve them by a provider of another language. It must never know a provider.
//
// Source: https://platform.openai.com/docs/api-reference (audio, images).
package media

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// dropped names the body's members that are none of those known.
func dropped(doc *providers.Document, known ...string) []string {
	var names []string
	for i := range doc.Fields {
		f := &doc.Fields[i]
		if name := strings.TrimSuffix(f.Name, "[]"); doc.Raw[f.Start] != 'n' && name != "model" && !slices.Contains(known, name) {
			names = providers.AddDropped(names, name)
		}
	}
	return names
}

// text reads a member that must be a text, and there.
func text(doc *providers.Document, name string) (string, error) {
	s, _, err := doc.String(name)
	if err == nil && s == "" {
		err = providers.Invalid(name, "Missing required parameter: '"+name+"'.")
	}
	return s, err
}

// event appends an event of a stream: its JSON is begun with a type.
func event(dst []byte, kind string) []byte {
	return append(append(append(dst, `data: {"type":"`...), kind...), '"')
}

func appendInt(dst []byte, name string, n int64) []byte {
	dst = append(append(append(dst, '"'), name...), `":`...)
	return strconv.AppendInt(dst, n, 10)
}
