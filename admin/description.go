package admin

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// plain makes a description say what is so, where huma is careful: a list is never null, and an
// answer may get further members in later releases.
func plain(d *huma.OpenAPI) {
	asked := schemaSet{all: d.Components.Schemas.Map(), seen: map[*huma.Schema]bool{}}
	for _, item := range d.Paths {
		for _, op := range []*huma.Operation{item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil || op.RequestBody == nil {
				continue
			}
			for _, media := range op.RequestBody.Content {
				asked.add(media.Schema)
			}
		}
	}
	told := schemaSet{all: asked.all, seen: map[*huma.Schema]bool{}}
	for _, s := range told.all {
		told.add(s)
	}
	for s := range told.seen {
		if s.Type == huma.TypeArray {
			s.Nullable = false
		}
		if closed, ok := s.AdditionalProperties.(bool); ok && !closed && !asked.seen[s] {
			s.AdditionalProperties = nil
		}
	}
}

// schemaSet gathers schemas and all that they are made of.
type schemaSet struct {
	all  map[string]*huma.Schema // by name
	seen map[*huma.Schema]bool
}

func (t *schemaSet) add(s *huma.Schema) {
	if s == nil || t.seen[s] {
		return
	}
	t.seen[s] = true
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		t.add(t.all[name])
	}
	t.add(s.Items)
	for _, member := range s.Properties {
		t.add(member)
	}
	if others, ok := s.AdditionalProperties.(*huma.Schema); ok {
		t.add(others)
	}
}
