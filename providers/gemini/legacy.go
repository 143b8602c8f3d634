package gemini

import (
	"strings"

	"github.com/aistrale/aistrale/providers/schema"
)

// Models before 2.5 take a subset of OpenAPI 3.0's schema. What it has no word for is said in
// the nearest one, or left out: a keyword the API does not know is a 400.
// Source: https://ai.google.dev/api/caching#Schema

func legacyParameters(raw []byte) ([]byte, error) {
	root, err := legacy(raw)
	if err != nil {
		return nil, err
	}
	root.Delete("nullable", "anyOf")
	if err := objectRoot(root); err != nil {
		return nil, err
	}
	// An object without properties is refused at the root.
	if p := root.Get("properties"); p == nil || len(p.Members) == 0 {
		return nil, nil
	}
	return root.Append(nil), nil
}

func legacySchema(raw []byte) ([]byte, error) {
	root, err := legacy(raw)
	if err != nil {
		return nil, err
	}
	return root.Append(nil), nil
}

func legacy(raw []byte) (*schema.Node, error) {
	root, err := schema.Parse(raw)
	if err != nil {
		return nil, err
	}
	if root, err = schema.Inline(root); err != nil {
		return nil, err
	}
	return convert(root), nil
}

// convert gives the subset's form of one schema and of all within it.
func convert(n *schema.Node) *schema.Node {
	out := &schema.Node{Kind: schema.Object}
	if n.Kind != schema.Object {
		return out // true or false: anything
	}
	n = mergeAll(n)
	for _, m := range n.Members {
		convertMember(out, m.Name, m.Value)
	}
	convertTypes(out, n.Get("type"))
	convertUnion(out, n)
	convertEnum(out, n)
	convertItems(out, n)
	requireKnown(out)
	return out
}

// mergeAll folds the schemas of allOf into the one that holds them; what it says itself wins.
func mergeAll(n *schema.Node) *schema.Node {
	all := n.Get("allOf")
	if all == nil || all.Kind != schema.Array {
		return n
	}
	out := &schema.Node{Kind: schema.Object, Members: append([]schema.Member(nil), n.Members...)}
	out.Delete("allOf")
	for _, part := range all.Items {
		if part.Kind == schema.Object {
			mergeInto(out, mergeAll(part))
		}
	}
	return out
}

func mergeInto(out, part *schema.Node) {
	for _, m := range part.Members {
		have := out.Get(m.Name)
		switch {
		case have == nil:
			out.Set(m.Name, m.Value)
		case m.Name == "properties" && have.Kind == schema.Object && m.Value.Kind == schema.Object:
			both := &schema.Node{Kind: schema.Object, Members: append([]schema.Member(nil), have.Members...)}
			for _, p := range m.Value.Members {
				if both.Get(p.Name) == nil {
					both.Set(p.Name, p.Value)
				}
			}
			out.Set(m.Name, both)
		case m.Name == "required" && have.Kind == schema.Array && m.Value.Kind == schema.Array:
			out.Set(m.Name, &schema.Node{Kind: schema.Array, Items: append(append([]*schema.Node(nil), have.Items...), m.Value.Items...)})
		}
	}
}

// convertMember copies what the subset has a word for. Types, unions, enums and items have
// functions of their own.
func convertMember(out *schema.Node, name string, v *schema.Node) {
	switch name {
	case "title", "description", "pattern":
		if _, ok := v.Text(); ok {
			out.Set(name, v)
		}
	case "format":
		if format, _ := v.Text(); legacyFormat(format) {
			out.Set(name, v)
		}
	case "nullable":
		if v.Is("true") {
			out.Set(name, v)
		}
	case "minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength", "minimum", "maximum":
		if v.Kind == schema.Leaf && (v.Raw[0] == '-' || v.Raw[0] >= '0' && v.Raw[0] <= '9') {
			out.Set(name, v)
		}
	case "required", "propertyOrdering":
		if v.Kind == schema.Array && len(v.Items) > 0 {
			out.Set(name, v)
		}
	case "properties":
		if v.Kind == schema.Object && len(v.Members) > 0 {
			p := &schema.Node{Kind: schema.Object}
			for _, m := range v.Members {
				p.Set(m.Name, convert(m.Value))
			}
			out.Set(name, p)
		}
	}
}

// legacyFormat lists the formats the API takes; others are a 400.
func legacyFormat(format string) bool {
	switch format {
	case "float", "double", "int32", "int64", "enum", "date-time":
		return true
	}
	return false
}

// convertTypes says a type, or a list of them: null beside one type is nullable, several types
// are a union.
func convertTypes(out, kind *schema.Node) {
	if kind == nil {
		return
	}
	if kind.Kind != schema.Array {
		if names(kind, "null") {
			out.Set("nullable", schema.True())
		} else if _, ok := kind.Text(); ok {
			out.Set("type", kind)
		}
		return
	}
	var types []*schema.Node
	for _, one := range kind.Items {
		if names(one, "null") {
			out.Set("nullable", schema.True())
		} else if _, ok := one.Text(); ok {
			types = append(types, one)
		}
	}
	if len(types) == 1 {
		out.Set("type", types[0])
		return
	}
	if len(types) == 0 {
		return
	}
	union := &schema.Node{Kind: schema.Array}
	for _, one := range types {
		branch := &schema.Node{Kind: schema.Object, Members: []schema.Member{{Name: "type", Value: one}}}
		// What belongs to one type only moves there; the API holds it against the type.
		if names(one, "array") || names(one, "object") {
			move(branch, out, one)
			requireKnown(branch)
		}
		union.Items = append(union.Items, branch)
	}
	out.Set("anyOf", union)
}

// names reports whether a type is the one of that name, which the API takes in any case.
func names(kind *schema.Node, name string) bool {
	text, ok := kind.Text()
	return ok && strings.EqualFold(text, name)
}

// textSchema is the schema of a string, which the items of an array are where nothing is said of them:
// the API refuses an array without.
func textSchema() *schema.Node {
	return &schema.Node{Kind: schema.Object, Members: []schema.Member{{Name: "type", Value: schema.String("string")}}}
}

func move(to, from, kind *schema.Node) {
	moved := []string{"properties", "required", "propertyOrdering", "minProperties", "maxProperties"}
	if names(kind, "array") {
		moved = []string{"minItems", "maxItems"}
		to.Set("items", textSchema())
	}
	for _, name := range moved {
		if v := from.Get(name); v != nil {
			to.Set(name, v)
			from.Delete(name)
		}
	}
}

// convertUnion says anyOf and oneOf. A branch of null makes the rest nullable, and a single
// branch that is left is the schema itself.
func convertUnion(out, n *schema.Node) {
	var branches []*schema.Node
	for _, name := range []string{"anyOf", "oneOf"} {
		union := n.Get(name)
		if union == nil || union.Kind != schema.Array {
			continue
		}
		for _, item := range union.Items {
			if item.Get("type").Is(`"null"`) {
				out.Set("nullable", schema.True())
				continue
			}
			branches = append(branches, convert(item))
		}
	}
	switch {
	case len(branches) == 0:
	case len(branches) == 1 && out.Get("anyOf") == nil:
		for _, m := range branches[0].Members {
			if out.Get(m.Name) == nil {
				out.Set(m.Name, m.Value)
			}
		}
	default:
		if have := out.Get("anyOf"); have != nil {
			branches = append(append([]*schema.Node(nil), have.Items...), branches...)
		}
		out.Set("anyOf", &schema.Node{Kind: schema.Array, Items: branches})
	}
}

// convertEnum says enum and const. The subset's enums are strings only; other values are named
// in the description, so that the model still sees them.
func convertEnum(out, n *schema.Node) {
	values := n.Get("enum")
	if one := n.Get("const"); one != nil {
		values = &schema.Node{Kind: schema.Array, Items: []*schema.Node{one}}
	}
	if values == nil || values.Kind != schema.Array {
		return
	}
	list, foreign := &schema.Node{Kind: schema.Array}, false
	var said []string
	for _, v := range values.Items {
		text, ok := v.Text()
		switch {
		case v.Is("null"):
			out.Set("nullable", schema.True())
			continue
		case !ok:
			foreign = true
		case text != "": // an empty one is refused
			list.Items = append(list.Items, v)
		}
		said = append(said, string(v.Append(nil)))
	}
	kind, typed := out.Get("type").Text()
	if len(list.Items) > 0 && !foreign && (!typed || strings.EqualFold(kind, "string")) {
		if !typed && out.Get("anyOf") == nil {
			out.Set("type", schema.String("string"))
		}
		out.Set("enum", list)
		return
	}
	if len(said) > 0 {
		text, _ := out.Get("description").Text()
		out.Set("description", schema.String(strings.TrimSpace(text+" One of: "+strings.Join(said, ", ")+".")))
	}
}

// convertItems gives every array its items. A list of places becomes a union of them.
func convertItems(out, n *schema.Node) {
	items := n.Get("items")
	places := n.Get("prefixItems")
	if items != nil && items.Kind == schema.Array {
		items, places = nil, items
	}
	var branches []*schema.Node
	if places != nil && places.Kind == schema.Array {
		for _, p := range places.Items {
			branches = append(branches, convert(p))
		}
	}
	if items != nil && items.Kind == schema.Object {
		branches = append(branches, convert(items))
	}
	kind, typed := out.Get("type").Text()
	if len(branches) == 0 {
		if typed && strings.EqualFold(kind, "array") {
			out.Set("items", textSchema())
		}
		return
	}
	of := branches[0]
	if branches = distinct(branches); len(branches) > 1 {
		of = &schema.Node{Kind: schema.Object, Members: []schema.Member{{Name: "anyOf", Value: &schema.Node{Kind: schema.Array, Items: branches}}}}
	}
	if union := out.Get("anyOf"); !typed && union != nil {
		for _, branch := range union.Items {
			if names(branch.Get("type"), "array") {
				branch.Set("items", of)
			}
		}
		return
	}
	if !typed {
		out.Set("type", schema.String("array"))
	} else if !strings.EqualFold(kind, "array") {
		return
	}
	out.Set("items", of)
}

func distinct(list []*schema.Node) []*schema.Node {
	seen := map[string]bool{}
	var out []*schema.Node
	for _, n := range list {
		if text := string(n.Append(nil)); !seen[text] {
			seen[text] = true
			out = append(out, n)
		}
	}
	return out
}

// requireKnown takes names out of required and propertyOrdering that are no properties: the API
// answers 400 to them.
func requireKnown(out *schema.Node) {
	properties := out.Get("properties")
	for _, name := range []string{"required", "propertyOrdering"} {
		list := out.Get(name)
		if list == nil {
			continue
		}
		kept := &schema.Node{Kind: schema.Array}
		for _, item := range list.Items {
			if text, ok := item.Text(); ok && properties.Get(text) != nil {
				kept.Items = append(kept.Items, item)
			}
		}
		if len(kept.Items) == 0 {
			out.Delete(name)
		} else {
			out.Set(name, kept)
		}
	}
	if properties != nil && out.Get("type") == nil && out.Get("anyOf") == nil {
		out.Set("type", schema.String("object"))
	}
}
