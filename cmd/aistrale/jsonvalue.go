package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/aistrale/aistrale/storage"
)

// maxValue bounds one parameter, in bytes of JSON: anchors can say in a line what would fill the
// memory.
const maxValue = 64 << 10

var errValue = fmt.Errorf("is longer than %d bytes of JSON", maxValue)

// parameters reads a mapping of request fields, in its order, to JSON.
func (d *decoder) parameters(n *yaml.Node, into *[]storage.Parameter, path string) {
	*into = nil
	d.members(n, path, func(key, value *yaml.Node) {
		at := member(path, key.Value)
		d.places[at] = d.at(value)
		before := len(d.found.list)
		raw, err := d.json(nil, value, at, 0)
		switch {
		case err != nil:
			d.found.add(d.at(value), at, "%s", err)
		case len(d.found.list) == before:
			*into = append(*into, storage.Parameter{Name: key.Value, Value: raw})
		}
	})
}

// json appends a value. Its error is for the whole; what is wrong with a part is noted there.
func (d *decoder) json(dst []byte, n *yaml.Node, path string, depth int) ([]byte, error) {
	if len(dst) > maxValue {
		return dst, errValue
	}
	if depth > maxNesting {
		return dst, errors.New("is nested too deep")
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		return d.object(dst, n, path, depth)
	case yaml.SequenceNode:
		dst = append(dst, '[')
		for i, item := range n.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = d.json(dst, item, element(path, i), depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	default:
		text, err := d.text(n)
		if err == nil {
			dst, err = appendScalar(dst, n, text)
		}
		if err != nil {
			d.found.add(d.at(n), path, "%s", err)
		}
		return dst, nil
	}
}

func (d *decoder) object(dst []byte, n *yaml.Node, path string, depth int) (_ []byte, err error) {
	dst = append(dst, '{')
	first := true
	d.members(n, path, func(key, value *yaml.Node) {
		if err != nil {
			return
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if dst, err = jsontext.AppendQuote(dst, key.Value); err == nil {
			dst, err = d.json(append(dst, ':'), value, member(path, key.Value), depth+1)
		}
	})
	return append(dst, '}'), err
}

// appendScalar writes a plain value as what YAML takes it for, and a quoted one as text. A
// plain one that a variable stands in is what its text would be.
func appendScalar(dst []byte, n *yaml.Node, text string) ([]byte, error) {
	quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	tag := n.Tag
	if !quoted && tag == "!!str" && text != n.Value {
		tag = (&yaml.Node{Kind: yaml.ScalarNode, Value: text}).ShortTag()
	}
	switch tag {
	case "!!null":
		return append(dst, "null"...), nil
	case "!!bool":
		return strconv.AppendBool(dst, text == "true" || text == "True" || text == "TRUE"), nil
	case "!!int", "!!float":
		if jsontext.Value(text).IsValid() { // as it stands: no digit is lost
			return append(dst, text...), nil
		}
		return dst, fmt.Errorf("%q is no number in JSON; quote it where it is a text", text)
	case "!!str", "!!timestamp":
		return jsontext.AppendQuote(dst, text)
	}
	return dst, fmt.Errorf("has the type %s, which JSON does not have", tag)
}
