package main

import (
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

// projectPayloads are what stored projects keep of their calls, by workspace and project.
type projectPayloads map[[2]string]storage.PayloadSettings

func payloadRules(projects []storage.Tenant) (projectPayloads, error) {
	rules := projectPayloads{}
	for i := range projects {
		p := &projects[i]
		kept, err := admin.ProjectPayloads(p)
		if err != nil {
			return nil, fmt.Errorf("project %q: %w", p.Name, err)
		}
		if kept.Wanted() {
			rules[[2]string{p.Workspace, p.Name}] = kept
		}
	}
	return rules, nil
}

// over gives the keys with what their projects keep, where a key says nothing of that itself, and
// what traces may have of it.
func (p projectPayloads) over(keys []storage.Key, traced bool) []storage.Key {
	if len(p) == 0 && traced {
		return keys
	}
	keys = slices.Clone(keys)
	for i := range keys {
		k := &keys[i]
		if !k.Payloads.Wanted() {
			k.Payloads = p[[2]string{k.Workspace, k.Project}]
		}
		k.Payloads.Spans = k.Payloads.Spans && traced
	}
	return keys
}
