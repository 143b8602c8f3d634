package prompt

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// setParameters takes the defaults, in the order of their names.
func (t *Template) setParameters(said map[string]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(said)) {
		t.Parameters.Defaults = append(t.Parameters.Defaults, storage.Parameter{Name: name, Value: said[name]})
	}
	if err := t.Parameters.Check(); err != nil {
		return wrong("parameters", "%v", err)
	}
	if t.Model == "" {
		return nil
	}
	if err := policy.CheckModelName(t.Model); err != nil {
		return wrong("model", "%v", err)
	}
	if _, ok := Named(t.Model); ok {
		return wrong("model", "%q is a prompt itself", t.Model)
	}
	return nil
}
