package gemini

import (
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/schema"
)

// taken are the keywords of the API's own schema; any other is a 400.
var taken = []string{
	"type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required", "minProperties",
	"maxProperties", "minLength", "maxLength", "pattern", "anyOf", "propertyOrdering", "items", "minimum", "maximum",
}

func TestLegacySchema(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := legacySchema([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	f(`{"type":"object","additionalProperties":false,"$schema":"x","properties":{}}`, `{"type":"object"}`)
	f(`{"type":["string","null"],"minLength":1,"format":"uri"}`, `{"minLength":1,"nullable":true,"type":"string"}`)
	f(`{"anyOf":[{"type":"string"},{"type":"null"}],"description":"d"}`, `{"description":"d","nullable":true,"type":"string"}`)
	f(`{"oneOf":[{"type":"string"},{"type":"integer"}]}`, `{"anyOf":[{"type":"string"},{"type":"integer"}]}`)
	f(`{"const":"a"}`, `{"type":"string","enum":["a"]}`)
	f(`{"const":3,"type":"integer"}`, `{"type":"integer","description":"One of: 3."}`)
	f(`{"enum":["a","",null]}`, `{"nullable":true,"type":"string","enum":["a"]}`)
	f(`{"type":"array"}`, `{"type":"array","items":{"type":"string"}}`)
	f(`{"type":"array","items":true}`, `{"type":"array","items":{"type":"string"}}`)
	f(`{"prefixItems":[{"type":"string"},{"type":"string"}]}`, `{"type":"array","items":{"type":"string"}}`)
	f(`{"items":[{"type":"string"},{"type":"number"}]}`, `{"type":"array","items":{"anyOf":[{"type":"string"},{"type":"number"}]}}`)
	f(`{"type":["ARRAY","STRING","NULL"],"minItems":1}`,
		`{"nullable":true,"anyOf":[{"type":"ARRAY","items":{"type":"string"},"minItems":1},{"type":"STRING"}]}`)
	f(`{"type":"NULL"}`, `{"nullable":true}`)
	f(`{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"number"}},"required":["b","z"]}]}`,
		`{"properties":{"a":{"type":"string"},"b":{"type":"number"}},"required":["a","b"],"type":"object"}`)
	f(`{"properties":{"type":{"type":"string"},"$ref":{"type":"string"}},"required":["type"]}`,
		`{"properties":{"type":{"type":"string"},"$ref":{"type":"string"}},"required":["type"],"type":"object"}`)
}

func TestParameters(t *testing.T) {
	f := func(in, want string, legacy bool) {
		t.Helper()
		r := request{call: callOf(legacy)}
		got, err := r.parameters([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	f(``, ``, false)
	f(`null`, ``, false)
	f(`{}`, ``, false)
	raw := `{ "type" : "object", "properties": {"a":{"$ref":"#/$defs/A"}}, "$defs":{"A":{"const":1}} }`
	f(raw, raw, false)
	f(`{"properties":{"a":{}}}`, `{"type":"object","properties":{"a":{}}}`, false)
	f(`{"type":["object","null"]}`, `{"type":"object"}`, false)
	f(`{"type":"OBJECT"}`, `{"type":"object"}`, false)
	f(`{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","title":"A"}}}`, `{"type":"object","title":"A"}`, false)
	f(`{"type":"object","properties":{}}`, ``, true)
	for _, bad := range []string{`[]`, `true`, `{`, `{"type":"string"}`, `{"type":7}`, `{"$ref":"#/gone"}`} {
		if got, err := (&request{call: callOf(false)}).parameters([]byte(bad)); err == nil {
			t.Errorf("%s is sent as %s", bad, got)
		}
	}
}

func FuzzLegacySchema(f *testing.F) {
	f.Add([]byte(`{"type":["array","object","null"],"items":{"enum":[1,"a"]},"properties":{"a":{"$ref":"#"}},"required":["a","b"],"minItems":"x"}`))
	f.Add([]byte(`{"anyOf":[{"allOf":[{"const":"a"},{"type":"array"}]},{"oneOf":[{},true]}],"prefixItems":[{"type":"array"}],"format":"int32"}`))
	f.Add([]byte(`{"properties":{"x":{"type":"array","items":[{"type":["null"]}],"nullable":true,"default":{"type":"array"}}}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := legacySchema(in)
		if err != nil {
			return
		}
		root, err := schema.Parse(out)
		if err != nil {
			t.Fatalf("%s became %s: %v", in, out, err)
		}
		root.Walk(func(n *schema.Node) {
			for _, m := range n.Members {
				if !slices.Contains(taken, m.Name) {
					t.Fatalf("%s kept %q: %s", in, m.Name, out)
				}
			}
			kind, typed := n.Get("type").Text()
			if n.Get("type") != nil && !typed {
				t.Fatalf("%s: a type is no string: %s", in, out)
			}
			if items := n.Get("items"); strings.EqualFold(kind, "array") && (items == nil || items.Kind != schema.Object) {
				t.Fatalf("%s: an array without items: %s", in, out)
			}
			if enum := n.Get("enum"); enum != nil {
				for _, v := range enum.Items {
					if _, ok := v.Text(); !ok {
						t.Fatalf("%s: an enum of no strings: %s", in, out)
					}
				}
			}
		})
	})
}

func callOf(legacy bool) *providers.Call {
	return &providers.Call{Can: providers.Capabilities{LegacySchema: legacy}}
}
