package openai

import (
	"github.com/aistrale/aistrale/providers/schema"
)

// Strict says strict as the API takes it: it answers 400 where it shall hold a model to a schema
// that it cannot enforce, which Anthropic's enforces. Such a one is followed as well as the model
// can. lost reports that.
func Strict(strict *bool, raw []byte) (said *bool, lost bool) {
	if strict == nil || !*strict || enforceable(raw) {
		return strict, false
	}
	no := false
	return &no, true
}

// enforceable reports a schema of the API's subset: an object, all objects in it closed, with all
// of their members required, and no keyword that puts schemas together in other ways than anyOf.
// Source: https://platform.openai.com/docs/guides/structured-outputs (supported schemas)
func enforceable(raw []byte) bool {
	root, err := schema.Parse(raw)
	if err != nil || !root.Get("type").Is(`"object"`) || root.Get("anyOf") != nil {
		return false
	}
	good := true
	root.Walk(func(n *schema.Node) {
		for _, m := range n.Members {
			switch m.Name {
			case "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties":
				good = false
			}
		}
		good = good && closed(n)
	})
	return good
}

// closed reports whether a schema, if it is an object's, names all members and requires them.
func closed(n *schema.Node) bool {
	kind, properties := n.Get("type"), n.Get("properties")
	object := kind.Is(`"object"`) || properties != nil
	if kind != nil {
		for _, one := range kind.Items {
			object = object || one.Is(`"object"`)
		}
	}
	if !object {
		return true
	}
	if !n.Get("additionalProperties").Is("false") {
		return false
	}
	required := map[string]bool{}
	if list := n.Get("required"); list != nil {
		for _, one := range list.Items {
			name, _ := one.Text()
			required[name] = true
		}
	}
	if properties == nil {
		return true
	}
	for _, p := range properties.Members {
		if !required[p.Name] {
			return false
		}
	}
	return true
}
