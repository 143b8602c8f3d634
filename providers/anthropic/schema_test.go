package anthropic

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers/schema"
)

func TestRestrict(t *testing.T) {
	f := func(in, want string, closed bool) {
		t.Helper()
		root, err := schema.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := restrict(root); got != closed {
			t.Errorf("%s: closed %v", in, got)
		}
		if got := string(root.Append(nil)); got != want {
			t.Errorf("%s\n%s\nwant\n%s", in, got, want)
		}
	}
	f(`{"type":"string"}`, `{"type":"string"}`, false)
	f(`{"type":"string","pattern":"^a","description":"D"}`, `{"type":"string","description":"D (pattern: \"^a\")"}`, false)
	f(`{"properties":{"a":{}}}`, `{"properties":{"a":{}},"type":"object","additionalProperties":false}`, false)
	f(`{"type":["object","null"],"properties":{}}`, `{"type":["object","null"],"properties":{},"additionalProperties":false}`, false)
	f(`{"type":"object","additionalProperties":false}`, `{"type":"object","additionalProperties":false}`, false)
	f(`{"type":"object"}`, `{"type":"object","additionalProperties":false}`, true)
	f(`{"type":"object","properties":{},"additionalProperties":true}`, `{"type":"object","properties":{},"additionalProperties":false}`, true)
	f(`{"type":"array","minItems":1,"maxItems":3,"prefixItems":[{"type":"string"}],"items":{"type":"integer"}}`,
		`{"type":"array","minItems":1,"items":{"type":"integer"},"description":"(maxItems: 3; prefixItems: [{\"type\":\"string\"}])"}`, false)
	f(`{"type":"array","items":[{"type":"string"}]}`, `{"type":"array","description":"(items: [{\"type\":\"string\"}])"}`, false)
	f(`{"oneOf":[{"type":"number","maximum":2}],"$schema":"s"}`, `{"anyOf":[{"type":"number","description":"(maximum: 2)"}]}`, false)
	// Names of members and data are no keywords.
	f(`{"type":"object","properties":{"pattern":{"enum":[{"minimum":1}]}},"required":["pattern"]}`,
		`{"type":"object","properties":{"pattern":{"enum":[{"minimum":1}]}},"required":["pattern"],"additionalProperties":false}`, false)
}

func TestRecursive(t *testing.T) {
	f := func(in string, want bool) {
		t.Helper()
		root, err := schema.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := recursive(root); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
	f(`{"properties":{"a":{"$ref":"#/$defs/a"},"b":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string"}}}`, false)
	f(`{"properties":{"a":{"$ref":"#/$defs/no"},"b":{"$ref":"http://x/y"}}}`, false)
	f(`{"properties":{"a":{"$ref":"#"}}}`, true)
	f(`{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/b"}},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}}}`, true)
	f(`{"properties":{"a~b/c":{"properties":{"d":{"$ref":"#/properties/a~0b~1c"}}}}}`, true)
	// A chain in which each step refers twice is followed once per schema, not 2^30 times.
	var b strings.Builder
	b.WriteString(`{"$defs":{`)
	for i := range 30 {
		fmt.Fprintf(&b, `"s%d":{"anyOf":[{"$ref":"#/$defs/s%d"},{"$ref":"#/$defs/s%d"}]},`, i, i+1, i+1)
	}
	b.WriteString(`"s30":{}}}`)
	f(b.String(), false)
}
