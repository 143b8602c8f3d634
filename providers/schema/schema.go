// Package schema holds a JSON Schema as an ordered tree, for the dialects whose upstreams take
// only part of JSON Schema. It must never validate values against a schema, reorder members or
// follow a reference out of the document.
package schema

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
)

// The bounds of a tree, references counted as often as they are used.
const (
	MaxNodes = 10_000
	MaxDepth = 64
)

// The errors of a schema past its bounds.
var (
	ErrTooLarge = fmt.Errorf("the schema has more than %d values, references counted as often as they are used", MaxNodes)
	ErrTooDeep  = fmt.Errorf("the schema is nested deeper than %d levels", MaxDepth)
)

// Kind is what a node is.
type Kind uint8

// The kinds of nodes.
const (
	Leaf Kind = iota + 1 // a string, a number, a boolean or null
	Object
	Array
)

// Node is one JSON value with its members or items in the order they were written.
type Node struct {
	Kind    Kind
	Raw     []byte // of a leaf: its JSON, as it was written
	Members []Member
	Items   []*Node
}

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value *Node
}

// Parse reads a JSON value. It refuses what is not JSON, duplicate names, more than MaxNodes
// values (ErrTooLarge) and nesting past MaxDepth (ErrTooDeep).
func Parse(raw []byte) (*Node, error) {
	p := parser{dec: jsontext.NewDecoder(bytes.NewReader(raw))}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.dec.PeekKind() != jsontext.KindInvalid || len(bytes.TrimLeft(raw[p.dec.InputOffset():], " \t\r\n")) > 0 {
		return nil, errors.New("there is more than one JSON value")
	}
	return n, nil
}

type parser struct {
	dec   *jsontext.Decoder
	nodes int
}

func (p *parser) value(depth int) (*Node, error) {
	if p.nodes++; p.nodes > MaxNodes {
		return nil, ErrTooLarge
	}
	if depth > MaxDepth {
		return nil, ErrTooDeep
	}
	switch p.dec.PeekKind() {
	case jsontext.KindBeginObject:
		return p.object(depth)
	case jsontext.KindBeginArray:
		return p.array(depth)
	}
	v, err := p.dec.ReadValue()
	if err != nil {
		return nil, fmt.Errorf("cannot be read as JSON: %w", err)
	}
	return &Node{Kind: Leaf, Raw: bytes.Clone(v)}, nil
}

func (p *parser) object(depth int) (*Node, error) {
	n := &Node{Kind: Object}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("cannot be read as JSON: %w", err)
	}
	for p.dec.PeekKind() == jsontext.KindString {
		name, err := p.dec.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("cannot be read as JSON: %w", err)
		}
		m := Member{Name: name.String()} // the token is void after the next read
		if m.Value, err = p.value(depth + 1); err != nil {
			return nil, err
		}
		n.Members = append(n.Members, m)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("cannot be read as JSON: %w", err)
	}
	return n, nil
}

func (p *parser) array(depth int) (*Node, error) {
	n := &Node{Kind: Array}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("cannot be read as JSON: %w", err)
	}
	for k := p.dec.PeekKind(); k != jsontext.KindEndArray && k != jsontext.KindInvalid; k = p.dec.PeekKind() {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("cannot be read as JSON: %w", err)
	}
	return n, nil
}

// Append appends the node's JSON, compact and in order.
func (n *Node) Append(dst []byte) []byte {
	switch n.Kind {
	case Object:
		dst = append(dst, '{')
		for i, m := range n.Members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(providers.AppendString(dst, m.Name), ':')
			dst = m.Value.Append(dst)
		}
		return append(dst, '}')
	case Array:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.Append(dst)
		}
		return append(dst, ']')
	default:
		return append(dst, n.Raw...)
	}
}

// String makes a leaf.
func String(s string) *Node { return &Node{Kind: Leaf, Raw: providers.AppendString(nil, s)} }

// True makes a leaf.
func True() *Node { return &Node{Kind: Leaf, Raw: []byte("true")} }

// Text gives the text of a string leaf.
func (n *Node) Text() (string, bool) {
	if n == nil || n.Kind != Leaf || n.Raw[0] != '"' {
		return "", false
	}
	text, err := jsontext.AppendUnquote(nil, n.Raw)
	return string(text), err == nil
}

// Is reports whether the node is a leaf of exactly this JSON.
func (n *Node) Is(raw string) bool { return n != nil && n.Kind == Leaf && string(n.Raw) == raw }

// Get gives an object's member, nil where it is absent.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Name == name {
			return n.Members[i].Value
		}
	}
	return nil
}

// Set puts a member in its place, or at the end where it is new.
func (n *Node) Set(name string, v *Node) {
	for i := range n.Members {
		if n.Members[i].Name == name {
			n.Members[i].Value = v
			return
		}
	}
	n.Members = append(n.Members, Member{name, v})
}

// Delete takes members out.
func (n *Node) Delete(names ...string) {
	kept := n.Members[:0]
	for _, m := range n.Members {
		gone := false
		for _, name := range names {
			gone = gone || m.Name == name
		}
		if !gone {
			kept = append(kept, m)
		}
	}
	n.Members = kept
}
