package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/aistrale/aistrale/storage"
)

// maxNesting ends an anchor that contains itself.
const maxNesting = 32

// decoder reads a tree of YAML nodes into a configuration, strictly. It does not use the
// library's own decoding: that stops at the first mistake of a kind, names Go's types, and cannot
// expand variables after parsing.
type decoder struct {
	found    *mistakes
	places   map[string]place // where each value was said
	getenv   func(string) string
	readFile func(string) ([]byte, error)
	env      string // the variable that is read in place of the file
	verbatim bool   // nothing is expanded
	depth    int
}

// said reports whether a value was given at a path.
func (d *decoder) said(path string) bool {
	_, ok := d.places[path]
	return ok
}

func (d *decoder) at(n *yaml.Node) place {
	if d.env != "" {
		return place{env: d.env}
	}
	return place{line: n.Line}
}

// decode reads n into a value, which keeps what it has where n is null or wrong.
func (d *decoder) decode(n *yaml.Node, into reflect.Value, path string) {
	d.depth++
	defer func() { d.depth-- }()
	if d.depth > maxNesting {
		d.found.add(d.at(n), path, "is nested too deep")
		return
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if path != "" {
		d.places[path] = d.at(n)
	}
	switch target := into.Addr().Interface().(type) {
	case *[]AliasConfig:
		d.aliases(n, target, path)
		return
	case *TargetConfig:
		if n.Kind == yaml.ScalarNode {
			d.decode(n, reflect.ValueOf(&target.Target).Elem(), path)
			return
		}
	case *JournalConfig:
		if n.Kind == yaml.ScalarNode {
			d.decode(n, reflect.ValueOf(&target.Store).Elem(), member(path, "store"))
			return
		}
	case *CredentialConfig:
		if n.Kind == yaml.ScalarNode {
			d.decode(n, reflect.ValueOf(&target.Name).Elem(), path)
			return
		}
	case *map[string]string:
		d.strings(n, target, path)
		return
	case *[]storage.Parameter:
		d.parameters(n, target, path)
		return
	}
	switch {
	case isScalar(into.Type()):
		d.scalar(n, into, path)
	case into.Kind() == reflect.Slice:
		d.list(n, into, path)
	default:
		d.mapping(n, into, path)
	}
}

func (d *decoder) mapping(n *yaml.Node, into reflect.Value, path string) {
	fields := map[string]reflect.Value{}
	var known []string
	for i := range into.NumField() {
		if name, ok := keyOf(into.Type().Field(i)); ok {
			fields[name] = into.Field(i)
			known = append(known, name)
		}
	}
	d.members(n, path, func(key, value *yaml.Node) {
		field, ok := fields[key.Value]
		if !ok {
			d.found.add(d.at(key), member(path, key.Value), "unknown key%s", hint(key.Value, known))
			return
		}
		d.decode(value, field, member(path, key.Value))
	})
}

// members calls f for each member of a mapping, and refuses one that stands twice.
func (d *decoder) members(n *yaml.Node, path string, f func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.found.add(d.at(n), path, "want a mapping, got %s", kindName(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.found.add(d.at(key), path, "want a plain key, got %s", kindName(key))
		case seen[key.Value]:
			d.found.add(d.at(key), member(path, key.Value), "stands twice")
		default:
			seen[key.Value] = true
			f(key, n.Content[i+1])
		}
	}
}

func (d *decoder) list(n *yaml.Node, into reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.found.add(d.at(n), path, "want a list, got %s", kindName(n))
		return
	}
	// A list that is said replaces the default, and an empty one is not nil.
	into.Set(reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		if p, ok := into.Index(i).Addr().Interface().(presetter); ok {
			p.preset()
		}
		d.decode(item, into.Index(i), element(path, i))
	}
}

// A presetter is an element of a list whose defaults are not zero.
type presetter interface{ preset() }

// aliases reads a mapping as a list, to keep its order.
func (d *decoder) aliases(n *yaml.Node, into *[]AliasConfig, path string) {
	*into = nil
	d.members(n, path, func(key, value *yaml.Node) {
		alias := AliasConfig{Name: key.Value}
		for value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		var form any = &alias.Targets
		if value.Kind == yaml.MappingNode {
			form = &alias
		}
		d.decode(value, reflect.ValueOf(form).Elem(), member(path, key.Value))
		*into = append(*into, alias)
	})
}

func (d *decoder) strings(n *yaml.Node, into *map[string]string, path string) {
	*into = map[string]string{}
	d.members(n, path, func(key, value *yaml.Node) {
		var text string
		d.decode(value, reflect.ValueOf(&text).Elem(), member(path, key.Value))
		(*into)[key.Value] = text
	})
}

func (d *decoder) text(n *yaml.Node) (string, error) {
	if d.verbatim {
		return n.Value, nil
	}
	return d.expand(n.Value)
}

func isScalar(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[storage.Secret](), reflect.TypeFor[time.Time](), reflect.TypeFor[storage.Network]():
		return true
	}
	return t.Kind() == reflect.String || t.Kind() == reflect.Bool || t.Kind() == reflect.Int || t.Kind() == reflect.Int64 || t.Kind() == reflect.Float64
}

func (d *decoder) scalar(n *yaml.Node, into reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.found.add(d.at(n), path, "want a single value, got %s", kindName(n))
		return
	}
	text, err := d.text(n)
	if err == nil {
		err = setScalar(into, text)
	}
	if err != nil {
		d.found.add(d.at(n), path, "%s", err)
	}
}

// setScalar leaves what is there where text does not fit it.
func setScalar(into reflect.Value, text string) error {
	switch target := into.Addr().Interface().(type) {
	case *string:
		*target = text
	case *storage.Secret:
		*target = storage.Secret{} // an empty text is no secret, whatever stood here before
		if text != "" {
			*target = storage.NewSecret(text)
		}
	case *bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		*target = text == "true"
	case *int:
		return parsed(target, text, strconv.Atoi, "a whole number")
	case *int64:
		return parsed(target, text, parseInt, "a whole number")
	case *float64:
		return parsed(target, text, parseFloat, "a number")
	case *time.Duration:
		return parsed(target, text, storage.ParseDuration, "a duration such as 15s, 10m or 90d")
	case *Size:
		return parsed(target, text, parseSize, "a size such as 32MiB or 4096")
	case *storage.Network:
		return target.UnmarshalText([]byte(text))
	case *time.Time:
		return parsed(target, text, parseTime, "a time such as 2027-01-31 or 2027-01-31T12:00:00Z")
	default:
		return fmt.Errorf("cannot be set: %T has no text form", target)
	}
	return nil
}

func parsed[T any](target *T, text string, parse func(string) (T, error), want string) error {
	value, err := parse(text)
	if err != nil {
		return fmt.Errorf("%q is not %s", text, want)
	}
	*target = value
	return nil
}

func parseInt(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }

func parseFloat(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, text)
}

// keyOf gives the YAML key of a field; ok is false where the file cannot set it.
func keyOf(f reflect.StructField) (key string, ok bool) {
	key = f.Tag.Get("yaml")
	return key, key != "" && key != "-"
}

func member(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}
