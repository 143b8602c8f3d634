package schema_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers/schema"
)

func TestParseKeepsOrderAndNumbers(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		n, err := schema.Parse([]byte(in))
		if err != nil {
			t.Fatalf("Parse(%s): %v", in, err)
		}
		if got := string(n.Append(nil)); got != want {
			t.Errorf("Parse(%s) is written as %s, want %s", in, got, want)
		}
	}
	f(`{"z":1,"a":{"y":[true,null,"é\n"],"b":{}}}`, `{"z":1,"a":{"y":[true,null,"é\n"],"b":{}}}`)
	f(" {\"a\" : 12345678901234567890.10 } \n", `{"a":12345678901234567890.10}`)
	f(`{"a\"b":[]}`, `{"a\"b":[]}`)
	f(`true`, `true`)
}

func TestParseRefuses(t *testing.T) {
	f := func(in string, want error, text string) {
		t.Helper()
		_, err := schema.Parse([]byte(in))
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("Parse(%.60s) says %v, want %v %q", in, err, want, text)
		}
	}
	f(``, nil, "JSON")
	f(`{"a":1`, nil, "JSON")
	f(`{"a":1,"a":2}`, nil, "duplicate")
	f(`{} {}`, nil, "more than one")
	f(`{} x`, nil, "more than one")
	f(strings.Repeat(`[`, 200), schema.ErrTooDeep, "64")
	f(`[`+strings.Repeat(`1,`, schema.MaxNodes)+`1]`, schema.ErrTooLarge, "10000")
}

func TestWalkSeesSchemasOnly(t *testing.T) {
	n, err := schema.Parse([]byte(`{"title":"root","properties":{"type":{"title":"p"},"x":true},
		"enum":[{"title":"data"}],"default":{"title":"data"},"anyOf":[{"title":"a"},{"items":[{"title":"t"}]}],
		"additionalProperties":{"title":"ap"},"$defs":{"D":{"title":"d"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	n.Walk(func(s *schema.Node) {
		if title, ok := s.Get("title").Text(); ok {
			seen = append(seen, title)
		}
	})
	if got := strings.Join(seen, " "); got != "root p a t ap d" {
		t.Errorf("walked %q", got)
	}
}

func TestInline(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		n, err := schema.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		before := string(n.Append(nil))
		out, err := schema.Inline(n)
		if err != nil {
			t.Fatalf("Inline(%s): %v", in, err)
		}
		if got := string(out.Append(nil)); got != want {
			t.Errorf("Inline(%s)\n got %s\nwant %s", in, got, want)
		}
		if after := string(n.Append(nil)); after != before {
			t.Errorf("Inline changed its input to %s", after)
		}
	}
	f(`{"$ref":"#/$defs/A","$defs":{"A":{"type":"string"}}}`, `{"type":"string"}`)
	f(`{"properties":{"a":{"description":"mine","$ref":"#/definitions/A%20b~1c"}},"definitions":{"A b/c":{"type":"string","description":"its"}}}`,
		`{"properties":{"a":{"type":"string","description":"mine"}}}`)
	f(`{"properties":{"n":{"$ref":"#/$defs/N"}},"$defs":{"N":{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/$defs/N"}}}}}}`,
		`{"properties":{"n":{"type":"object","properties":{"kids":{"type":"array","items":{"type":"object"}}}}}}`)
	f(`{"type":"object","properties":{"next":{"$ref":"#"}}}`,
		`{"type":"object","properties":{"next":{"type":"object","properties":{"next":{"type":"object"}}}}}`)
	f(`{"anyOf":[{"$ref":"#/anyOf/1"},{"type":"null"}]}`, `{"anyOf":[{"type":"null"},{"type":"null"}]}`)
	f(`{"default":{"$ref":"#/nowhere"},"additionalProperties":false}`, `{"default":{"$ref":"#/nowhere"},"additionalProperties":false}`)
	f(`{"properties":{"$ref":{"type":"string"}}}`, `{"properties":{"$ref":{"type":"string"}}}`)
	f(`{"$ref":"#/$defs/any","title":"t","$defs":{"any":true}}`, `{"title":"t"}`)
}

func TestInlineRefuses(t *testing.T) {
	f := func(in string, want error, text string) {
		t.Helper()
		n, err := schema.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = schema.Inline(n); err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("Inline(%.80s) says %v, want %v %q", in, err, want, text)
		}
	}
	f(`{"$ref":"#/$defs/gone"}`, nil, "points nowhere")
	f(`{"$ref":"https://example.com/a.json"}`, nil, "out of the schema")
	f(`{"$ref":7}`, nil, "not a string")
	f(`{"$ref":"#a"}`, nil, "not a JSON pointer")
	f(bomb(20), schema.ErrTooLarge, "10000")
	f(chain(200), schema.ErrTooDeep, "64")
}

// bomb doubles with each definition: 2^n values from n lines.
func bomb(n int) string {
	var b bytes.Buffer
	b.WriteString(`{"$ref":"#/$defs/A","$defs":{`)
	for i := range n {
		next := strings.Repeat("A", i+2)
		b.WriteString(`"` + next[1:] + `":{"properties":{"x":{"$ref":"#/$defs/` + next + `"},"y":{"$ref":"#/$defs/` + next + `"}}},`)
	}
	b.WriteString(`"` + strings.Repeat("A", n+1) + `":{"type":"string"}}}`)
	return b.String()
}

// chain is references to references, without a value between them.
func chain(n int) string {
	var b bytes.Buffer
	b.WriteString(`{"$ref":"#/$defs/A","$defs":{`)
	for i := range n {
		b.WriteString(`"` + strings.Repeat("A", i+1) + `":{"$ref":"#/$defs/` + strings.Repeat("A", i+2) + `"},`)
	}
	b.WriteString(`"` + strings.Repeat("A", n+1) + `":{}}}`)
	return b.String()
}

func FuzzInline(f *testing.F) {
	f.Add([]byte(`{"$ref":"#/$defs/A","$defs":{"A":{"$ref":"#/$defs/B"},"B":{"items":{"$ref":"#/$defs/A"}}}}`))
	f.Add([]byte(`{"properties":{"a":{"$ref":"#"}},"anyOf":[{"$ref":"#/anyOf/0"}]}`))
	f.Add([]byte(`{"items":[{"$ref":"#/items/0/items"}],"enum":[1,{"a":"\ud83d\ude00"}]}`))
	f.Add([]byte(bomb(3)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := schema.Parse(raw)
		if err != nil {
			return
		}
		written := jsontext.Value(n.Append(nil))
		if !written.IsValid() {
			t.Fatalf("%s was written as %s", raw, written)
		}
		again, err := schema.Parse(written)
		if err != nil || string(again.Append(nil)) != string(written) {
			t.Fatalf("%s is not stable: %v", written, err)
		}
		out, err := schema.Inline(n)
		if err != nil {
			return
		}
		out.Walk(func(s *schema.Node) {
			if s.Kind == schema.Object && s.Get("$ref") != nil {
				t.Fatalf("%s kept a $ref in %s", raw, out.Append(nil))
			}
		})
		if twice, err := schema.Inline(out); err != nil || string(twice.Append(nil)) != string(out.Append(nil)) {
			t.Fatalf("inlining %s again changed it: %v", out.Append(nil), err)
		}
	})
}
