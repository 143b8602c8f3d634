package schema

// place says what a keyword's value holds.
type place uint8

const (
	one  place = iota + 1 // a schema
	list                  // an array of schemas
	dict                  // an object of schemas
)

// placeOf names the keywords that hold schemas, of all drafts in use; 0 for any other.
// Source: https://json-schema.org/draft/2020-12/json-schema-core
func placeOf(keyword string) place {
	switch keyword {
	case "items", "additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems",
		"contains", "propertyNames", "not", "if", "then", "else", "contentSchema":
		return one
	case "allOf", "anyOf", "oneOf", "prefixItems":
		return list
	case "properties", "patternProperties", "dependentSchemas", "$defs", "definitions":
		return dict
	}
	return 0
}

// Walk calls visit for the schema and then for every schema within it, in order. What visit
// changes is walked as changed. Values that are data (enum, const, default, examples) are no
// schemas, even where they look like one.
func (n *Node) Walk(visit func(*Node)) {
	visit(n)
	for i := range n.Members {
		n.Members[i].each(func(sub *Node) { sub.Walk(visit) })
	}
}

func (m *Member) each(visit func(*Node)) {
	v := m.Value
	switch placeOf(m.Name) {
	case one:
		switch v.Kind {
		case Object:
			visit(v)
		case Array: // "items" as a list, up to draft 2019-09
			visitAll(v.Items, visit)
		default: // true or false
		}
	case list:
		visitAll(v.Items, visit)
	case dict:
		for i := range v.Members {
			if v.Members[i].Value.Kind == Object {
				visit(v.Members[i].Value)
			}
		}
	}
}

func visitAll(items []*Node, visit func(*Node)) {
	for _, item := range items {
		if item.Kind == Object {
			visit(item)
		}
	}
}
