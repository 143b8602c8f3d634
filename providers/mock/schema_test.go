package mock

import (
	"encoding/json"
	"testing"

	"github.com/tidwall/gjson"
)

func TestFit(t *testing.T) {
	f := func(schema, want string) {
		t.Helper()
		got := string(fit(gjson.Parse(schema)))
		if got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s\n got %s\nwant %s", schema, got, want)
		}
	}
	f(``, `{}`)
	f(`{"type":"object"}`, `{}`)
	f(`{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"integer"}},"required":["a"]}`, `{"a":1}`)
	f(`{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"boolean"}}}`, `{"b":"sample","a":true}`)
	f(`{"type":"OBJECT","properties":{"x":{"type":"STRING","enum":["celsius","kelvin"]}},"required":["x"]}`, `{"x":"celsius"}`)
	f(`{"properties":{"a.b":{"const":{"k":[1, 2]}}},"required":["a.b"]}`, `{"a.b":{"k":[1, 2]}}`)
	f(`{"type":"array","items":{"type":"number","minimum":2.5}}`, `[2.5]`)
	f(`{"type":"array","minItems":2,"items":{"type":["null","string"]}}`, `["sample","sample"]`)
	f(`{"type":"array","prefixItems":[{"type":"integer"},{"type":"null"}]}`, `[1,null]`)
	f(`{"type":"array","maxItems":0,"items":{}}`, `[]`)
	f(`{"anyOf":[{"type":"null"},{"type":"string","format":"date"}]}`, `"2026-01-01"`)
	f(`{"oneOf":[{"$ref":"#/$defs/a~1b"}],"$defs":{"a/b":{"type":"string","maxLength":3}}}`, `"sam"`)
	f(`{"allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":{"type":"boolean"}},"required":["b"]}]}`, `{"a":1,"b":true}`)
	f(`{"type":"string","minLength":8}`, `"samplexx"`)
	f(`{"type":"integer","minimum":7,"multipleOf":5}`, `10`)
	f(`{"type":"integer","exclusiveMaximum":0}`, `-1`)
	f(`{"type":"number","exclusiveMinimum":3}`, `4`)
	// A list refers to itself, and ends where the reference is optional.
	f(`{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/n"}]}},"required":["v"]}}}`, `{"v":1}`)
}

func TestFit_EndsInItself(t *testing.T) {
	for _, schema := range []string{
		`{"$ref":"#"}`,
		`{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`,
		`{"type":"object","properties":{"x":{"$ref":"#"}},"required":["x"]}`,
		`{"type":"array","minItems":1,"items":{"$ref":"#"}}`,
		`{"properties":{"x":{"$ref":"#"},"y":{"$ref":"#"},"z":{"$ref":"#"}},"required":["x","y","z"]}`,
	} {
		if got := fit(gjson.Parse(schema)); !json.Valid(got) {
			t.Errorf("%s gave %s", schema, got)
		}
	}
}

func FuzzFit(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`)
	f.Add(`{"anyOf":[{"$ref":"#/$defs/x"}],"$defs":{"x":{"type":["string","null"],"minLength":3}}}`)
	f.Add(`{"type":"string","maxLength":2,"format":"uuid"}`)
	f.Add(`{"type":"number","multipleOf":1e-300,"maximum":-1e308}`)
	f.Add(`{"type":"number","multipleOf":1e1000,"minimum":1e1000}`)
	f.Fuzz(func(t *testing.T, schema string) {
		if !gjson.Valid(schema) {
			return
		}
		if got := fit(gjson.Parse(schema)); !json.Valid(got) {
			t.Errorf("%s gave %s", schema, got)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("a text of some words, and Donaudampfschifffahrtsgesellschaft")
	f.Add("日本語のテキストには空白がありません、だから長くなる")
	f.Add(" ")
	f.Fuzz(func(t *testing.T, text string) {
		joined := ""
		for _, piece := range split(text) {
			if piece == "" || len(piece) > pieceBytes {
				t.Errorf("a piece of %q is %q", text, piece)
			}
			joined += piece
		}
		if joined != text {
			t.Errorf("%q became %q", text, joined)
		}
	})
}
