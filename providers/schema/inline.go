package schema

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Inline gives a copy of the schema in which every $ref into the document itself is replaced by
// what it points at; members beside a $ref win over those it brings. A schema that contains
// itself cannot be written out: where it comes round again only its type, title and description
// stay. $defs and definitions are left out. A $ref that points nowhere, or out of the document,
// is an error, and so is a copy past MaxNodes or MaxDepth.
func Inline(root *Node) (*Node, error) {
	in := inliner{root: root}
	return in.schema(root, 0)
}

type inliner struct {
	root  *Node
	nodes int
	open  []*Node // the targets that are being written out
}

func (in *inliner) count(depth int) error {
	if in.nodes++; in.nodes > MaxNodes {
		return ErrTooLarge
	}
	if depth > MaxDepth {
		return ErrTooDeep
	}
	return nil
}

func (in *inliner) schema(n *Node, depth int) (*Node, error) {
	if n.Kind != Object || n.Get("$ref") == nil {
		return in.members(n, depth)
	}
	ref, ok := n.Get("$ref").Text()
	if !ok {
		return nil, fmt.Errorf("$ref is not a string")
	}
	target, err := in.find(ref)
	if err != nil {
		return nil, err
	}
	beside := &Node{Kind: Object, Members: append([]Member(nil), n.Members...)}
	beside.Delete("$ref")
	out, err := in.follow(target, depth)
	if err != nil {
		return nil, err
	}
	extra, err := in.members(beside, depth)
	if err != nil {
		return nil, err
	}
	if out.Kind != Object {
		return extra, nil // a boolean schema: true asks for nothing
	}
	for _, m := range extra.Members {
		out.Set(m.Name, m.Value)
	}
	return out, nil
}

func (in *inliner) follow(target *Node, depth int) (*Node, error) {
	for _, n := range in.open {
		if n == target {
			return in.stub(target)
		}
	}
	// A chain of references without members would never come back deeper.
	if len(in.open) > MaxDepth {
		return nil, ErrTooDeep
	}
	in.open = append(in.open, target)
	out, err := in.schema(target, depth)
	in.open = in.open[:len(in.open)-1]
	return out, err
}

func (in *inliner) stub(target *Node) (*Node, error) {
	out := &Node{Kind: Object}
	for _, name := range []string{"type", "title", "description"} {
		if v := target.Get(name); v != nil && v.Kind == Leaf {
			if err := in.count(0); err != nil {
				return nil, err
			}
			out.Set(name, v)
		}
	}
	return out, nil
}

// members copies a schema whose own $ref is gone.
func (in *inliner) members(n *Node, depth int) (*Node, error) {
	if n.Kind != Object {
		return in.data(n, depth)
	}
	if err := in.count(depth); err != nil {
		return nil, err
	}
	out := &Node{Kind: Object, Members: make([]Member, 0, len(n.Members))}
	for _, m := range n.Members {
		if m.Name == "$defs" || m.Name == "definitions" {
			continue
		}
		v, err := in.member(m, depth+1)
		if err != nil {
			return nil, err
		}
		out.Members = append(out.Members, Member{m.Name, v})
	}
	return out, nil
}

func (in *inliner) member(m Member, depth int) (*Node, error) {
	switch where := placeOf(m.Name); {
	case where == one && m.Value.Kind == Object:
		return in.schema(m.Value, depth)
	case where == dict && m.Value.Kind == Object:
		if err := in.count(depth); err != nil {
			return nil, err
		}
		out := &Node{Kind: Object}
		for _, p := range m.Value.Members {
			v, err := in.schema(p.Value, depth+1)
			if err != nil {
				return nil, err
			}
			out.Members = append(out.Members, Member{p.Name, v})
		}
		return out, nil
	case (where == list || where == one) && m.Value.Kind == Array:
		if err := in.count(depth); err != nil {
			return nil, err
		}
		out := &Node{Kind: Array}
		for _, item := range m.Value.Items {
			v, err := in.schema(item, depth+1)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, v)
		}
		return out, nil
	}
	return in.data(m.Value, depth)
}

// data counts a value that holds no schema; nobody changes those, so they are shared.
func (in *inliner) data(n *Node, depth int) (*Node, error) {
	if err := in.count(depth); err != nil {
		return nil, err
	}
	for _, m := range n.Members {
		if _, err := in.data(m.Value, depth+1); err != nil {
			return nil, err
		}
	}
	for _, item := range n.Items {
		if _, err := in.data(item, depth+1); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// find follows a JSON Pointer in a URI fragment.
// Source: https://www.rfc-editor.org/rfc/rfc6901#section-6
func (in *inliner) find(ref string) (*Node, error) {
	fragment, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, fmt.Errorf("$ref %q points out of the schema", ref)
	}
	if fragment == "" {
		return in.root, nil
	}
	path, err := url.PathUnescape(fragment)
	if err != nil || path[0] != '/' {
		return nil, fmt.Errorf("$ref %q is not a JSON pointer", ref)
	}
	at := in.root
	for _, step := range strings.Split(path[1:], "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		if at = at.step(step); at == nil {
			return nil, fmt.Errorf("$ref %q points nowhere", ref)
		}
	}
	return at, nil
}

func (n *Node) step(name string) *Node {
	if n.Kind != Array {
		return n.Get(name)
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Items) {
		return n.Items[i]
	}
	return nil
}
