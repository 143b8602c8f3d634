package storage

import (
	"fmt"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// Parameters are request fields that the operator sets for a key's calls, or for an alias'.
type Parameters struct {
	Defaults []Parameter // where the client says nothing of the field, or null
	Force    []Parameter // whatever the client says; null takes the field out
}

// Parameter is a top-level field of a request, in the client's language.
type Parameter struct {
	Name  string
	Value []byte // raw JSON
}

// Check says what is wrong with them.
func (p *Parameters) Check() error {
	for _, list := range [...]struct {
		what  string
		items []Parameter
	}{{"defaults", p.Defaults}, {"force", p.Force}} {
		for i := range list.items {
			if err := list.items[i].check(); err != nil {
				return fmt.Errorf("%s: %w", list.what, err)
			}
			for j := range i {
				if strings.EqualFold(list.items[j].Name, list.items[i].Name) {
					return fmt.Errorf("%s: %s is set twice", list.what, list.items[i].Name)
				}
			}
		}
		for i := range list.items {
			if list.what == "defaults" && string(list.items[i].Value) == "null" {
				return fmt.Errorf("defaults: %s: null is what it is without a default", list.items[i].Name)
			}
		}
	}
	return nil
}

// check holds a name to the letters of the fields there are, so that no spelling of one that
// the gateway itself sets slips past.
func (p *Parameter) check() error {
	const most = 64 // bytes of a name
	name := strings.ToLower(p.Name)
	if name == "" || len(name) > most || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return fmt.Errorf("%q is not the name of a request field", p.Name)
	}
	switch name {
	case "model", "stream", "stream_options", "messages", "prompt", "input":
		return fmt.Errorf("%s is the client's and the gateway's to set", name)
	}
	var doc providers.Document
	if err := doc.Scan(fmt.Appendf(nil, `{"value":%s}`, p.Value), nil); err != nil || len(doc.Fields) != 1 {
		return fmt.Errorf("%s: its value is not valid JSON", p.Name)
	}
	return nil
}
