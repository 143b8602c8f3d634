package gemini

import (
	"errors"
	"slices"

	"github.com/aistrale/aistrale/providers/schema"
)

// modernSchema says the API's own subset of OpenAPI's schema as JSON Schema: types in lower case,
// nullable as a type, bounds as numbers and not as strings.
// Source: https://ai.google.dev/api/caching#Schema
func modernSchema(raw []byte) ([]byte, error) {
	root, err := schema.Parse(raw)
	if err != nil {
		return nil, err
	}
	if root.Kind != schema.Object {
		return nil, errors.New("the schema is not an object")
	}
	modernise(root)
	return root.Append(nil), nil
}

func modernise(n *schema.Node) {
	if n.Kind != schema.Object {
		return
	}
	n.Delete("propertyOrdering", "property_ordering")
	nullable := false
	kept := n.Members[:0]
	for _, m := range n.Members {
		m.Name = camel(m.Name)
		switch m.Name {
		case "nullable":
			nullable = m.Value.Is("true")
			continue
		case "type":
			modernType(m.Value)
		case "items", "additionalProperties":
			modernise(m.Value)
		case "anyOf", "prefixItems", "oneOf", "allOf":
			for _, one := range m.Value.Items {
				modernise(one)
			}
		case "properties", "$defs", "defs":
			for _, p := range m.Value.Members {
				modernise(p.Value)
			}
		case "format":
			if m.Value.Is(`"enum"`) {
				continue // says no more than enum itself
			}
		case "minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength":
			unquoteNumber(m.Value)
		}
		kept = append(kept, m)
	}
	n.Members = kept
	if nullable {
		allowNull(n)
	}
}

// modernType says a type in JSON Schema's word. Old clients write the protobuf's number.
func modernType(v *schema.Node) {
	numbers := map[string]string{"1": "string", "2": "number", "3": "integer", "4": "boolean", "5": "array", "6": "object", "7": "null"}
	for _, one := range append([]*schema.Node{v}, v.Items...) {
		word, ok := one.Text()
		if !ok && one.Kind == schema.Leaf {
			word = numbers[string(one.Raw)]
		}
		if word != "" {
			one.Raw = schema.String(lowered(word)).Raw
		}
	}
}

// unquoteNumber takes the quotes off a 64-bit number, which the protobuf's JSON writes as a string.
func unquoteNumber(v *schema.Node) {
	if word, ok := v.Text(); ok && len(word) > 0 && len(word) < 16 && isDigits(word) {
		v.Raw = []byte(word)
	}
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// allowNull lets a value be null too.
func allowNull(n *schema.Node) {
	null := schema.String("null")
	if kind := n.Get("type"); kind != nil && kind.Kind == schema.Leaf {
		n.Set("type", &schema.Node{Kind: schema.Array, Items: []*schema.Node{kind, null}})
	} else if union := n.Get("anyOf"); union != nil && union.Kind == schema.Array {
		union.Items = append(union.Items, &schema.Node{Kind: schema.Object, Members: []schema.Member{{Name: "type", Value: null}}})
	}
	if enum := n.Get("enum"); enum != nil && enum.Kind == schema.Array && !slices.ContainsFunc(enum.Items, func(one *schema.Node) bool { return one.Is("null") }) {
		enum.Items = append(enum.Items, &schema.Node{Kind: schema.Leaf, Raw: []byte("null")})
	}
}
