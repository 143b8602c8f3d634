package anthropic

import (
	"strings"

	"github.com/aistrale/aistrale/providers/schema"
)

// restrict brings a schema into the subset that the API can hold a model to. What it cannot be
// held to is told in the description instead. It reports whether an object that takes members
// of any name was closed, which no description makes good.
// Source: https://docs.claude.com/en/docs/build-with-claude/structured-outputs (limitations)
func restrict(root *schema.Node) (closed bool) {
	root.Walk(func(n *schema.Node) {
		if n.Kind != schema.Object {
			return
		}
		for i := range n.Members {
			if n.Members[i].Name == "oneOf" && n.Get("anyOf") == nil {
				n.Members[i].Name = "anyOf"
			}
		}
		closed = closeObject(n) || closed
		var told []string
		kept := make([]schema.Member, 0, len(n.Members))
		for _, m := range n.Members {
			switch {
			case supported(m):
				kept = append(kept, m)
			case m.Name != "$schema" && m.Name != "$id" && m.Name != "$comment":
				told = append(told, m.Name+": "+string(m.Value.Append(nil)))
			}
		}
		n.Members = kept
		describe(n, told)
	})
	return closed
}

// closeObject says additionalProperties: false, which the API wants on every object.
func closeObject(n *schema.Node) (closed bool) {
	kind := n.Get("type")
	object := kind.Is(`"object"`)
	if kind != nil {
		for _, item := range kind.Items {
			object = object || item.Is(`"object"`)
		}
	} else if n.Get("properties") != nil {
		object = true
		n.Set("type", schema.String("object"))
	}
	if !object {
		return false
	}
	more := n.Get("additionalProperties")
	if more.Is("false") {
		return false
	}
	n.Delete("additionalProperties")
	if more != nil && !more.Is("true") {
		describe(n, []string{"additionalProperties: " + string(more.Append(nil))})
	}
	n.Set("additionalProperties", &schema.Node{Kind: schema.Leaf, Raw: []byte("false")})
	// An object with named members and nothing said of others means just those; a map does not.
	return more != nil || n.Get("properties") == nil
}

func supported(m schema.Member) bool {
	switch m.Name {
	case "type", "properties", "required", "additionalProperties", "enum", "const", "anyOf", "allOf",
		"$ref", "$defs", "definitions", "default", "title", "description":
		return true
	case "items":
		return m.Value.Kind != schema.Array
	case "minItems":
		return m.Value.Is("0") || m.Value.Is("1")
	case "format":
		format, _ := m.Value.Text()
		switch format {
		case "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid":
			return true
		}
	}
	return false
}

func describe(n *schema.Node, told []string) {
	if len(told) == 0 {
		return
	}
	text := "(" + strings.Join(told, "; ") + ")"
	if said, ok := n.Get("description").Text(); ok && said != "" {
		text = said + " " + text
	}
	n.Set("description", schema.String(text))
}

// recursive reports a schema that contains itself, which the API cannot be held to.
func recursive(root *schema.Node) bool {
	r := referrer{root: root, state: map[*schema.Node]uint8{}}
	return r.follow(root)
}

// referrer follows references; state is 1 for a schema on the way down, 2 for one done with.
type referrer struct {
	root  *schema.Node
	state map[*schema.Node]uint8
}

func (r *referrer) follow(n *schema.Node) bool {
	if r.state[n] > 0 {
		return r.state[n] == 1
	}
	r.state[n] = 1
	found := false
	n.Walk(func(sub *schema.Node) {
		if ref, ok := sub.Get("$ref").Text(); ok && !found {
			if target := resolve(r.root, ref); target != nil {
				found = r.follow(target)
			}
		}
	})
	r.state[n] = 2
	return found
}

// resolve finds a reference's target in the document itself, nil where there is none.
func resolve(root *schema.Node, ref string) *schema.Node {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := root
	for _, step := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		if step == "" {
			continue
		}
		at = at.Get(strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
	}
	return at
}
