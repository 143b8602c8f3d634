package mock

import (
	"math"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// The bounds of the descent into a schema, which may contain itself, once or several times.
const (
	maxSchemaDepth  = 24
	maxSchemaValues = 10_000
	maxSchemaBytes  = 1 << 20 // of the value
)

// fit gives a JSON value that fits a JSON Schema (or Gemini's dialect of it). Of an object it
// gives the members that are required, or all where none is; patterns are not understood.
// Without a schema it is an empty object.
func fit(schema gjson.Result) []byte {
	if !schema.IsObject() {
		return []byte("{}")
	}
	f := fitter{root: schema}
	return f.value(nil, schema, 0)
}

type fitter struct {
	root   gjson.Result
	values int
}

func (f *fitter) value(dst []byte, s gjson.Result, depth int) []byte {
	f.values++
	if depth > maxSchemaDepth || f.values > maxSchemaValues || len(dst) > maxSchemaBytes {
		return append(dst, "null"...)
	}
	s = f.resolve(s)
	if v := s.Get("const"); v.Exists() {
		return append(dst, v.Raw...)
	}
	if v := s.Get("enum.0"); v.Exists() {
		return append(dst, v.Raw...)
	}
	for _, word := range [...]string{"anyOf", "oneOf"} {
		if alternatives := s.Get(word).Array(); len(alternatives) > 0 {
			return f.value(dst, f.pick(alternatives), depth+1)
		}
	}
	if parts := s.Get("allOf").Array(); len(parts) > 0 {
		if !s.Get("properties").Exists() && len(parts) == 1 {
			return f.value(dst, parts[0], depth+1)
		}
		return f.object(dst, append([]gjson.Result{s}, parts...), depth)
	}
	switch typeOf(s) {
	case "object":
		return f.object(dst, []gjson.Result{s}, depth)
	case "array":
		return f.array(dst, s, depth)
	case "string":
		return fitString(dst, s)
	case "integer":
		return fitNumber(dst, s, true)
	case "number":
		return fitNumber(dst, s, false)
	case "boolean":
		return append(dst, "true"...)
	}
	return append(dst, "null"...)
}

// resolve follows local references.
func (f *fitter) resolve(s gjson.Result) gjson.Result {
	for range maxSchemaDepth {
		ref := s.Get("$ref").Str
		if !strings.HasPrefix(ref, "#") {
			return s
		}
		target := f.root
		for step := range strings.SplitSeq(strings.Trim(ref[1:], "/"), "/") {
			if step != "" {
				step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
				target = member(target, step)
			}
		}
		s = target
	}
	return s
}

// member finds a member by its exact name, which gjson's paths cannot where it has dots.
func member(object gjson.Result, name string) (found gjson.Result) {
	object.ForEach(func(k, v gjson.Result) bool {
		if k.Str == name {
			found = v
			return false
		}
		return true
	})
	return found
}

// pick takes the first alternative that is not null.
func (f *fitter) pick(alternatives []gjson.Result) gjson.Result {
	for _, s := range alternatives {
		if typeOf(f.resolve(s)) != "null" {
			return s
		}
	}
	return alternatives[0]
}

// typeOf gives the type in JSON Schema's words; Gemini shouts them. A list of types gives the
// first that is not null, and a schema without type the one its other words speak of.
func typeOf(s gjson.Result) string {
	t := s.Get("type")
	if t.IsArray() {
		for _, one := range t.Array() {
			if one.Str != "null" {
				return one.Str
			}
		}
	}
	switch {
	case t.Type == gjson.String:
		return strings.ToLower(t.Str)
	case s.Get("properties").Exists():
		return "object"
	case s.Get("items").Exists():
		return "array"
	case s.IsObject() && t.Exists():
		return "null"
	}
	return "string"
}

func (f *fitter) object(dst []byte, parts []gjson.Result, depth int) []byte {
	required := make(map[string]bool)
	for i := range parts {
		parts[i] = f.resolve(parts[i])
		for _, name := range parts[i].Get("required").Array() {
			required[name.Str] = true
		}
	}
	dst = append(dst, '{')
	first := true
	for _, part := range parts {
		part.Get("properties").ForEach(func(name, schema gjson.Result) bool {
			if len(required) > 0 && !required[name.Str] || len(required) == 0 && depth > 2 {
				return true
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(providers.AppendString(dst, name.Str), ':')
			dst = f.value(dst, schema, depth+1)
			return true
		})
	}
	return append(dst, '}')
}

func (f *fitter) array(dst []byte, s gjson.Result, depth int) []byte {
	prefix := s.Get("prefixItems").Array()
	items := s.Get("items")
	n := int(s.Get("minItems").Int())
	if n == 0 && items.Exists() && s.Get("maxItems").Raw != "0" && depth < 8 {
		n = 1
	}
	n = min(max(n, len(prefix)), 100)
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		one := items
		if i < len(prefix) {
			one = prefix[i]
		}
		dst = f.value(dst, one, depth+1)
	}
	return append(dst, ']')
}

func fitString(dst []byte, s gjson.Result) []byte {
	text := "sample"
	switch s.Get("format").Str {
	case "date-time":
		text = "2026-01-01T00:00:00Z"
	case "date":
		text = "2026-01-01"
	case "time":
		text = "12:00:00Z"
	case "duration":
		text = "PT1H"
	case "email":
		text = "sample@example.com"
	case "uri", "url":
		text = "https://example.com/"
	case "hostname":
		text = "example.com"
	case "ipv4":
		text = "192.0.2.1"
	case "ipv6":
		text = "2001:db8::1"
	case "uuid":
		text = "00000000-0000-4000-8000-000000000000"
	}
	if least := min(s.Get("minLength").Int(), 10_000); int64(len(text)) < least {
		text += strings.Repeat("x", int(least)-len(text))
	}
	if most := s.Get("maxLength"); most.Exists() && most.Int() >= 0 && int64(len(text)) > most.Int() {
		text = text[:most.Int()]
	}
	return providers.AppendString(dst, text)
}

func fitNumber(dst []byte, s gjson.Result, whole bool) []byte {
	n := 1.0
	if low := s.Get("minimum"); low.Exists() {
		n = max(n, low.Num)
	}
	if low := s.Get("exclusiveMinimum"); low.Type == gjson.Number {
		n = max(n, low.Num+1)
	}
	if high := s.Get("maximum"); high.Exists() {
		n = min(n, high.Num)
	}
	if high := s.Get("exclusiveMaximum"); high.Type == gjson.Number && n >= high.Num {
		n = high.Num - 1
	}
	if whole {
		n = math.Ceil(n)
	}
	if step := s.Get("multipleOf").Num; step > 0 {
		n = math.Ceil(n/step) * step
	}
	if math.IsInf(n, 0) || math.IsNaN(n) {
		n = 1 // bounds past what a float holds
	}
	return strconv.AppendFloat(dst, n, 'f', -1, 64)
}
