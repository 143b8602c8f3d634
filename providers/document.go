package providers

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MaxDepth bounds the nesting of a client's JSON.
const MaxDepth = 512

// Document is a client's JSON object, scanned once: the bytes as they came, the places of the
// top-level members, and the governed fields found at any depth. It holds no copy of a value.
type Document struct {
	Raw    []byte
	Fields []Field
	Hits   []Hit

	wide bool   // some top-level name is not ASCII
	path []step // the scanner's, kept for the next scan
}

// Field is one top-level member. Raw[Start:End] is its value.
type Field struct {
	Name       string // unescaped
	KeyStart   int    // of the opening quote
	Start, End int
}

// Hit is a governed field found in the document, with its value.
type Hit struct {
	Rule  *Governed
	Value []byte
	// Own is set where it names what the gateway itself keeps, for a key that may have it kept.
	Own bool

	element int // where the one begins that Rule.Where is asked about
}

// Scan reads raw in one pass. It refuses, as a *Fault that names the place, what two JSON
// parsers could read differently: invalid UTF-8, lone surrogates, top-level names that are the
// same after unescaping or differ only in case, and nesting past MaxDepth.
func (d *Document) Scan(raw []byte, watch *Watch) error {
	d.Raw, d.Fields, d.Hits, d.wide = raw, d.Fields[:0], d.Hits[:0], false
	s := scanner{raw: raw, watch: watch, doc: d, path: d.path[:0]}
	err := s.document()
	d.path = s.path
	if err != nil {
		return err
	}
	if len(d.Hits) > 0 {
		d.narrow()
	}
	return d.refuseTwins()
}

// refuseTwins refuses duplicate names. Go's and C#'s parsers match names without regard to
// case, so "Model" beside "model" is a duplicate too.
func (d *Document) refuseTwins() error {
	if len(d.Fields) > 32 {
		return d.refuseManyTwins()
	}
	for i := range d.Fields {
		for j := range i {
			a, b := d.Fields[i].Name, d.Fields[j].Name
			// Folding changes a name's length only outside ASCII.
			if (len(a) == len(b) || d.wide) && strings.EqualFold(a, b) {
				return twin(a, b)
			}
		}
	}
	return nil
}

func (d *Document) refuseManyTwins() error {
	seen := make(map[string]string, len(d.Fields))
	for i := range d.Fields {
		name := d.Fields[i].Name
		folded := fold(name)
		if first, ok := seen[folded]; ok {
			return twin(name, first)
		}
		seen[folded] = name
	}
	return nil
}

func twin(name, first string) error {
	if name == first {
		return Invalid(name, fmt.Sprintf("the request body has the member %q twice", name))
	}
	return Invalid(first, fmt.Sprintf("the request body has the members %q and %q, which some parsers take for one", first, name))
}

// Value gives the raw value of a top-level member, nil where it is absent.
func (d *Document) Value(name string) []byte {
	for i := range d.Fields {
		if d.Fields[i].Name == name {
			return d.Raw[d.Fields[i].Start:d.Fields[i].End]
		}
	}
	return nil
}

// Field gives a top-level member, nil where it is absent.
func (d *Document) Field(name string) *Field {
	for i := range d.Fields {
		if d.Fields[i].Name == name {
			return &d.Fields[i]
		}
	}
	return nil
}

// String reads a top-level string; absent and null are "", false.
func (d *Document) String(name string) (string, bool, error) {
	v := d.Value(name)
	if isNull(v) {
		return "", false, nil
	}
	if v[0] != '"' {
		return "", false, wrongType(name, "a string", v)
	}
	return unquote(v), true, nil
}

// Bool reads a top-level boolean; absent and null are false, false.
func (d *Document) Bool(name string) (value, said bool, err error) {
	switch v := d.Value(name); {
	case isNull(v):
		return false, false, nil
	case string(v) == "true":
		return true, true, nil
	case string(v) == "false":
		return false, true, nil
	default:
		return false, false, wrongType(name, "a boolean", v)
	}
}

// Int reads a top-level whole number; absent and null are 0, false.
func (d *Document) Int(name string) (int64, bool, error) {
	v := d.Value(name)
	if isNull(v) {
		return 0, false, nil
	}
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, true, nil
	}
	// 1e3 and 4096.0 are whole too; past 2^53 a float no longer says which number was meant.
	if f, err := strconv.ParseFloat(string(v), 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return int64(f), true, nil
	}
	return 0, false, wrongType(name, "an integer", v)
}

func isNull(v []byte) bool { return len(v) == 0 || v[0] == 'n' }

func wrongType(name, want string, v []byte) error {
	return Invalid(name, fmt.Sprintf("invalid type for '%s': expected %s, but got %s instead", name, want, typeName(v)))
}

func typeName(v []byte) string {
	switch v[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	}
	return "a number"
}

// commonNames are the members that most requests have, the most frequent first.
var commonNames = [...]string{
	"model", "messages", "stream", "stream_options", "temperature", "max_tokens", "max_completion_tokens",
	"tools", "tool_choice", "top_p", "n", "stop", "seed", "user", "input", "prompt", "response_format",
	"reasoning_effort", "parallel_tool_calls", "presence_penalty", "frequency_penalty", "encoding_format",
}

// wellKnown gives the shared string of a common name, so that scanning it allocates nothing.
func wellKnown(name []byte) (string, bool) {
	for _, known := range commonNames {
		if string(name) == known {
			return known, true
		}
	}
	return "", false
}
