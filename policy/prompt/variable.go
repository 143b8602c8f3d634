package prompt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// What a schema, and the variables of one call, may hold at most.
const (
	maxName   = 64 // bytes of a variable's name
	maxSchema = 32 << 10
	maxDepth  = 16
	maxNodes  = 10_000
	maxDigits = 400 // of a number, and of its exponent: no schema can make a longer one of it
)

// variable is a name that texts may use, and what its values must be.
type variable struct {
	schema   *jsonschema.Schema
	shape    any // the schema as JSON, for what its values have inside
	standard any // its default
	optional bool
}

// newVariable reads a variable's schema. One that refers to another schema, wherever that is, is
// refused: so a schema is a tree, and no value takes longer than its own size times the schema's.
func newVariable(name string, raw json.RawMessage) (*variable, error) {
	at := "variables." + name
	if !isName(name) {
		return nil, wrong("variables", "%q is no name: letters, digits and _, the first one no digit, at most %d", name, maxName)
	}
	if len(raw) > maxSchema {
		return nil, wrong(at, "the schema is longer than %d bytes", maxSchema)
	}
	shape, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, wrong(at, "the schema is no JSON: %v", err)
	}
	if err := (&measure{}).take(shape, 0); err != nil {
		return nil, wrong(at, "%v", err)
	}
	if word := refers(shape); word != "" {
		return nil, wrong(at, "%s is not supported: a schema stands by itself", word)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	const here = "aistrale:variable"
	if err := c.AddResource(here, shape); err != nil {
		return nil, wrong(at, "%v", err)
	}
	v := &variable{shape: shape}
	if v.schema, err = c.Compile(here); err != nil {
		return nil, wrong(at, "it is no JSON Schema that is supported (patterns are those of RE2): %s", said(err))
	}
	if object, ok := shape.(map[string]any); ok {
		if v.standard, v.optional = object["default"]; v.optional {
			if err := v.check(v.standard); err != nil {
				return nil, wrong(at+".default", "%v", err)
			}
		}
	}
	return v, nil
}

func isName(name string) bool {
	if name == "" || len(name) > maxName || '0' <= name[0] && name[0] <= '9' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// nowhere is the loader of schemas that are somewhere else.
type nowhere struct{}

// Load implements jsonschema.URLLoader.
func (nowhere) Load(string) (any, error) {
	return nil, errors.New("a schema stands by itself, and nothing else is loaded")
}

// refers gives the word by which a schema, at any depth, refers to another one; "" where none does.
// A property may have such a name; then it is refused too, which costs a rare name.
func refers(v any) string {
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			if slices.Contains([]string{"$ref", "$dynamicRef", "$recursiveRef", "$schema", "$id", "id", "$vocabulary"}, name) && !isShape(below) {
				return name
			}
			if word := refers(below); word != "" {
				return word
			}
		}
	case []any:
		for _, below := range v {
			if word := refers(below); word != "" {
				return word
			}
		}
	}
	return ""
}

// isShape reports whether a value can be a property's schema, and so its name is no keyword.
func isShape(v any) bool {
	switch v.(type) {
	case map[string]any, bool:
		return true
	}
	return false
}

// check says what is wrong with a value.
func (v *variable) check(value any) error {
	if err := v.schema.Validate(value); err != nil {
		return errors.New(said(err))
	}
	return nil
}

// said is the first thing that a validator found, without its addresses.
func said(err error) string {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		var schema *jsonschema.SchemaValidationError
		if !errors.As(err, &schema) || !errors.As(schema.Err, &invalid) {
			return err.Error()
		}
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	text := invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	if len(invalid.InstanceLocation) > 0 {
		text = "at " + strings.Join(invalid.InstanceLocation, ".") + ": " + text
	}
	return text
}

// measure holds JSON to what may be worked on.
type measure struct {
	nodes   int
	longest int // of its lists
}

func (m *measure) take(v any, depth int) error {
	if m.nodes++; m.nodes > maxNodes {
		return fmt.Errorf("it has more than %d values", maxNodes)
	}
	if depth > maxDepth {
		return fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, below := range v {
			if err := m.take(below, depth+1); err != nil {
				return err
			}
		}
	case []any:
		m.longest = max(m.longest, len(v))
		for _, below := range v {
			if err := m.take(below, depth+1); err != nil {
				return err
			}
		}
	case json.Number:
		digits, exponent, _ := strings.Cut(strings.ToLower(v.String()), "e")
		if len(digits) > maxDigits || len(strings.TrimLeft(exponent, "+-0")) > len("300") {
			return errors.New("a number in it is longer than numbers are")
		}
	}
	return nil
}
