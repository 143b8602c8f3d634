package catalog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/responses"
)

// oddValues are what a provider should not say where it says something else.
var oddValues = []string{
	`1e400`, `-1e400`, `-5`, `9223372036854775808`, `0.5`, `""`, `"odd"`, `"\ud800"`, `"\u0000"`, `null`, `true`, `{}`, `[]`, `[null]`, `{"odd":[{}]}`,
}

// Whatever value of an answer is another than it should be, clients of every language are given
// an answer in their language, or are told of a fault.
func TestOddAnswers(t *testing.T) {
	for language, dialect := range map[string]providers.Dialect{
		"openai": openai.Dialect{}, "anthropic": anthropic.Dialect{}, "gemini": gemini.Dialect{}, "responses": responses.Dialect{},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			files, err := filepath.Glob(filepath.Join("..", language, "testdata", "*", "upstream_response.*"))
			deeper, _ := filepath.Glob(filepath.Join("..", language, "testdata", "*", "*", "upstream_response.*"))
			if files = append(files, deeper...); err != nil || len(files) < 30 {
				t.Fatalf("%d answers, %v", len(files), err)
			}
			n := eachOdd(t, files, 23, func(file string, odd []byte) {
				oddlyAnswered(t, dialect, filepath.Ext(file) == ".sse", odd)
			})
			t.Logf("%d answers", n)
		})
	}
}

// eachOdd gives the texts of files with one of their JSON values after the other in the place of
// which there is each of the odd ones, and counts them: one of so many where not all shall be proved.
func eachOdd(t *testing.T, files []string, every int, do func(file string, odd []byte)) int {
	t.Helper()
	if os.Getenv("AISTRALE_PROVE") == "1" {
		every = 1
	}
	n := 0
	for _, file := range files {
		said, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(said) > 16<<10 || filepath.Ext(file) == ".bin" {
			continue
		}
		for _, at := range valuesOf(said) {
			for _, odd := range oddValues {
				if n++; n%every == 0 {
					do(file, slices.Concat(said[:at[0]], []byte(odd), said[at[1]:]))
				}
			}
		}
	}
	return n / every
}

// valuesOf finds where JSON's values stand in a text, of a stream in its data: no names, and the
// outermost is none of them.
func valuesOf(said []byte) (found [][2]int) {
	var open []int
	for i := 0; i < len(said); i++ {
		begin := i
		switch c := said[i]; {
		case c == '{' || c == '[':
			open = append(open, i)
			continue
		case (c == '}' || c == ']') && len(open) > 0:
			begin, open = open[len(open)-1], open[:len(open)-1]
		case len(open) == 0:
			continue
		case c == '"':
			for i++; i < len(said) && said[i] != '"'; i++ {
				if said[i] == '\\' {
					i++
				}
			}
			if i >= len(said) || bytes.HasPrefix(bytes.TrimLeft(said[i+1:], " \n"), []byte(":")) {
				continue
			}
		case c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z':
			i += max(0, bytes.IndexAny(said[i:], ",]} \r\n")-1)
		default:
			continue
		}
		if len(open) > 0 {
			found = append(found, [2]int{begin, i + 1})
		}
	}
	return found
}

func oddlyAnswered(t *testing.T, dialect providers.Dialect, stream bool, body []byte) {
	t.Helper()
	for _, l := range listeners {
		call := heardCall(stream)
		writer := l.face.Writer(&call)
		var wire []byte
		faulty := false
		if err := providertest.Decode(dialect, &call, bytes.NewReader(body), func(ev *providers.Event) {
			faulty = faulty || ev.Kind == providers.EventFault
			wire = writer.Write(wire, ev)
		}); err != nil {
			continue
		}
		if wrong := l.wrongly(t, wire, &call, faulty); len(wrong) > 0 {
			t.Errorf("to %s: %s\n%s\n%s", l.face.Language(), strings.Join(wrong, "; "), body, wire)
		}
	}
}

// wrongly says what is wrong with an answer; after a fault it needs no end.
func (l *listener) wrongly(t *testing.T, wire []byte, call *providers.Call, faulty bool) (wrong []string) {
	t.Helper()
	frames := []string{string(wire)}
	if call.Stream {
		frames = framesOf(t, bytes.NewReader(wire))
	}
	for _, frame := range frames {
		if frame != "[DONE]" && frame != "" && !json.Valid([]byte(frame)) {
			wrong = append(wrong, fmt.Sprintf("no JSON: %s", frame))
		}
	}
	if len(wrong) == 0 && !faulty && !bytes.Contains(wire, []byte("1e400")) { // Go has no such number, and some clients have
		wrong = slices.DeleteFunc(l.form(wire, frames, call), func(said string) bool {
			return strings.Contains(said, `\"name\":\"\"`) // a call of nothing is none that was lost
		})
	}
	return wrong
}
