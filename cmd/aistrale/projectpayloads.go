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
		if kept.Keep > 0 {
			rules[[2]string{p.Workspace, p.Name}] = kept
		}
	}
	return rules, nil
}

// over gives the keys with what their projects keep, where a key says nothing of that itself.
func (p projectPayloads) over(keys []storage.Key) []storage.Key {
	if len(p) == 0 {
		return keys
	}
	keys = slices.Clone(keys)
	for i := range keys {
		if k := &keys[i]; k.Payloads.Keep == 0 {
			k.Payloads = p[[2]string{k.Workspace, k.Project}]
		}
	}
	return keys
}
