package anthropic

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// unmarshal reads raw, the value at path, into v. What does not fit is a *providers.Fault in
// the manner of Anthropic's own validation: "messages.0.content: Input should be a valid list".
func unmarshal(path string, raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	if err == nil {
		return nil
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		what := "Input should be valid JSON"
		if errors.Is(err, jsontext.ErrDuplicateName) {
			what = "The member is given twice"
		}
		return wrong(place(path, string(syntactic.JSONPointer)), what)
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return wrong(path, "Input is not valid")
	}
	at := place(path, string(semantic.JSONPointer))
	var mixed *wanted
	if errors.As(err, &mixed) {
		return wrong(at, "Input should be "+mixed.what)
	}
	return wrong(at, "Input should be "+typeOf(semantic))
}

func wrong(path, what string) *providers.Fault {
	return providers.Invalid(path, path+": "+what)
}

func required(path string) *providers.Fault { return wrong(path, "Field required") }

// wanted is the error of a union type: what it takes.
type wanted struct{ what string }

func (w *wanted) Error() string { return "expected " + w.what }

// place turns a JSON pointer below path into Anthropic's spelling: messages.1.content.0.text.
func place(path, pointer string) string {
	if pointer == "" {
		return path
	}
	return path + "." + strings.NewReplacer("/", ".", "~1", "/", "~0", "~").Replace(pointer[1:])
}

func typeOf(e *json.SemanticError) string {
	if e.GoType == nil {
		return "of another type"
	}
	switch e.GoType.Kind().String() {
	case "string":
		return "a valid string"
	case "bool":
		return "a valid boolean"
	case "int", "int64":
		return "a valid integer"
	case "float64":
		return "a valid number"
	case "slice", "array":
		return "a valid list"
	}
	return "a valid dictionary"
}

// textOrBlocks is a content: a string, or a list of blocks.
type textOrBlocks struct {
	said   bool
	list   bool
	text   string
	blocks []blockJSON
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (c *textOrBlocks) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	switch dec.PeekKind() {
	case 'n':
		return dec.SkipValue()
	case '"':
		c.said = true
		return json.UnmarshalDecode(dec, &c.text)
	case '[':
		c.said, c.list = true, true
		return json.UnmarshalDecode(dec, &c.blocks)
	}
	return &wanted{"a valid string or list"}
}

func clone(raw []byte) []byte { return bytes.Clone(raw) }
