package prompt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/aistrale/aistrale/providers"
)

// maxSteps bounds how many tags one rendering looks at, sections as often as they are said.
const maxSteps = 100_000

// Render gives the messages for the values of variables, a JSON object; nil is an empty one. What is
// wrong with them is a 400 that names the variable at the place that the client said it.
func (t *Template) Render(values []byte, at string) ([]providers.Message, error) {
	given, err := t.read(values, at)
	if err != nil {
		return nil, err
	}
	var size measure
	if err := size.take(given, 0); err != nil {
		return nil, providers.Invalid(at, "The variables of the prompt cannot be used: "+err.Error()+".")
	}
	total := 0
	for _, one := range t.texts {
		if total += steps(one.tags, size.longest); total > maxSteps {
			return nil, providers.Invalid(at, "The lists among the variables of the prompt are too long for its sections.")
		}
	}
	shown, out := object(given).shown(), &bounded{left: maxRendered}
	messages := make([]providers.Message, 0, len(t.texts))
	for i, one := range t.texts {
		out.Reset()
		if err := one.mustache.FRender(out, shown); err != nil || out.over {
			return nil, tooLong(at, err)
		}
		messages = append(messages, providers.Message{Role: t.roles[i], Text: out.String()})
	}
	return messages, nil
}

func tooLong(at string, cause error) error {
	f := providers.Invalid(at, fmt.Sprintf("With these variables the prompt is longer than %d bytes.", maxRendered))
	f.Cause = cause
	return f
}

// read gives the value of each declared variable.
func (t *Template) read(values []byte, at string) (map[string]any, error) {
	said := map[string]any{}
	if len(values) > 0 && string(values) != "null" {
		read, err := jsonschema.UnmarshalJSON(bytes.NewReader(values))
		object, ok := read.(map[string]any)
		if err != nil || !ok {
			return nil, providers.Invalid(at, "invalid type for '"+at+"': expected an object of variables")
		}
		said = object
	}
	if err := (&measure{}).take(said, 0); err != nil { // before a schema works on it
		return nil, providers.Invalid(at, "The variables of the prompt cannot be used: "+err.Error()+".")
	}
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if t.variables[name] == nil {
			return nil, providers.Invalid(at+"."+shorten(name), "The prompt has no variable '"+shorten(name)+"'.")
		}
	}
	given := make(map[string]any, len(t.variables))
	for _, name := range slices.Sorted(maps.Keys(t.variables)) {
		v := t.variables[name]
		value, ok := said[name]
		switch {
		case ok:
			if err := v.check(value); err != nil {
				return nil, providers.Invalid(at+"."+name, "The variable '"+name+"' of the prompt is not what it must be: "+err.Error()+".")
			}
		case !v.optional:
			return nil, providers.Invalid(at+"."+name, "The variable '"+name+"' of the prompt is missing.")
		default:
			value = v.standard
		}
		given[name] = value
	}
	return given, nil
}

// shorten makes a name that a client made up fit for a message.
func shorten(name string) string {
	quoted := strconv.QuoteToASCII(name[:min(len(name), maxName)])
	return quoted[1 : len(quoted)-1]
}

// object, list are values that print as JSON, so that one that stands where a text is wanted is
// said as what it is.
type (
	object map[string]any
	list   []any
)

// shown makes of a value what texts are made of: numbers as they were written, so that none is
// rounded, and nothing that could be called.
func (o object) shown() object {
	out := make(object, len(o))
	for name, value := range o {
		out[name] = shown(value)
	}
	return out
}

func shown(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return object(v).shown()
	case []any:
		out := make(list, len(v))
		for i := range v {
			out[i] = shown(v[i])
		}
		return out
	case json.Number:
		return v.String()
	case nil:
		return ""
	}
	return value
}

// Format implements fmt.Formatter.
func (o object) Format(to fmt.State, _ rune) { printJSON(to, map[string]any(o)) }

// Format implements fmt.Formatter.
func (l list) Format(to fmt.State, _ rune) { printJSON(to, []any(l)) }

func printJSON(to fmt.State, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)                                   // made of JSON
	_, _ = to.Write(bytes.TrimRight(b.Bytes(), "\n")) // into memory
}

// bounded is a text that grows no longer than all messages may be.
type bounded struct {
	strings.Builder
	left int
	over bool
}

var errTooLong = errors.New("the text is too long")

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.over = b.over || len(p) > b.left; b.over {
		return 0, errTooLong
	}
	b.left -= len(p)
	return b.Builder.Write(p)
}
