package openai

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// Unmarshal reads raw, the value at path, into v. What does not fit is a *providers.Fault in
// the words of OpenAI's own validation.
func Unmarshal(path string, raw []byte, v any) error {
	err := json.Unmarshal(raw, v)
	if err == nil {
		return nil
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		at := place(path, string(syntactic.JSONPointer))
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return Refuse(at, "duplicate_member", fmt.Sprintf("Invalid '%s': the member is given twice.", at))
		}
		return Refuse(at, "", fmt.Sprintf("Invalid '%s': it cannot be read as JSON.", at))
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return Refuse(path, "invalid_value", fmt.Sprintf("Invalid '%s'.", path))
	}
	at := place(path, string(semantic.JSONPointer))
	var want *wanted
	if errors.As(err, &want) {
		return Refuse(at, "invalid_type", fmt.Sprintf("Invalid type for '%s': expected %s, but got %s instead.", at, want.what, want.got))
	}
	if errors.Is(err, strconv.ErrRange) {
		return outOfRange(at)
	}
	return Refuse(at, "invalid_type", fmt.Sprintf("Invalid type for '%s': expected %s, but got %s instead.", at, nameOf(semantic), kindName(semantic.JSONKind)))
}

// Refuse is a 400 about one field, with OpenAI's word for what is wrong with it; code may be "".
func Refuse(param, code, message string) *providers.Fault {
	f := providers.Invalid(param, message)
	f.Code = code
	return f
}

func outOfRange(param string) *providers.Fault {
	return Refuse(param, "invalid_value", fmt.Sprintf("Invalid '%s': the number is out of range.", param))
}

// wanted is the error of a union type: what it takes, and what it was given.
type wanted struct{ what, got string }

func (w *wanted) Error() string { return "expected " + w.what }

func want(dec *jsontext.Decoder, what string) error {
	return &wanted{what, kindName(dec.PeekKind())}
}

// place turns a JSON pointer below path into OpenAI's spelling: messages[1].content[0].text.
func place(path, pointer string) string {
	var b strings.Builder
	b.WriteString(path)
	if pointer == "" {
		return path
	}
	for step := range strings.SplitSeq(pointer[1:], "/") {
		if step != "" && strings.Trim(step, "0123456789") == "" {
			b.WriteString("[" + step + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
	}
	return b.String()
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "an invalid value"
}

func nameOf(e *json.SemanticError) string {
	if e.GoType == nil {
		return "another type"
	}
	switch name := e.GoType.Kind().String(); name {
	case "string":
		return "a string"
	case "bool":
		return "a boolean"
	case "int", "int64":
		return "an integer"
	case "float64":
		return "a number"
	case "slice", "array":
		return "an array"
	}
	return "an object"
}
