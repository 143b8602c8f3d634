package policy

import (
	"bytes"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Rewrite appends a client's body with the operator's parameters put in, and says whether it
// did: where they ask for nothing that the body does not say already, dst and false. Later sets
// go before earlier ones; give an alias' first, then the key's.
func Rewrite(dst []byte, doc *providers.Document, op providers.Op, sets ...*storage.Parameters) (body []byte, changed bool) {
	if !slices.ContainsFunc(sets, func(s *storage.Parameters) bool { return len(s.Defaults)+len(s.Force) > 0 }) {
		return dst, false
	}
	r := rewriter{doc: doc, op: op}
	r.edits = r.few[:0]
	for _, set := range slices.Backward(sets) {
		for i := range set.Force {
			r.force(&set.Force[i])
		}
	}
	for _, set := range slices.Backward(sets) {
		for i := range set.Defaults {
			r.fill(&set.Defaults[i])
		}
	}
	if len(r.edits) == 0 {
		return dst, false
	}
	return doc.Splice(dst, r.edits...), true
}

type rewriter struct {
	doc   *providers.Document
	op    providers.Op
	few   [8]providers.Edit
	edits []providers.Edit
	fixed []string // names that a set has forced
}

// force sets a field under its own name, wherever the client said it and however it spelled
// that: some servers' parsers do not mind a name's case.
func (r *rewriter) force(p *storage.Parameter) {
	if !concerns(p.Name, r.op) || slices.ContainsFunc(r.fixed, func(name string) bool { return same(name, p.Name) }) {
		return
	}
	r.fixed = append(r.fixed, p.Name)
	value, placed := p.Value, false
	if string(value) == "null" {
		value = nil
	}
	for i := range r.doc.Fields {
		f := &r.doc.Fields[i]
		if !same(f.Name, p.Name) {
			continue
		}
		own := strings.EqualFold(f.Name, p.Name)
		switch {
		case !own || value == nil:
			r.edits = append(r.edits, providers.Edit{Name: f.Name})
		case f.Name != p.Name:
			r.edits = append(r.edits, providers.Edit{Name: f.Name, As: p.Name, Value: value})
		case !bytes.Equal(r.doc.Raw[f.Start:f.End], value):
			r.edits = append(r.edits, providers.Edit{Name: f.Name, Value: value})
		}
		placed = placed || own
	}
	if !placed && value != nil {
		r.edits = append(r.edits, providers.Edit{Name: p.Name, Value: value})
	}
}

// fill sets a field that nobody has set.
func (r *rewriter) fill(p *storage.Parameter) {
	if !concerns(p.Name, r.op) || slices.ContainsFunc(r.fixed, func(name string) bool { return same(name, p.Name) }) {
		return
	}
	e := providers.Edit{Name: p.Name, Value: p.Value}
	for i := range r.doc.Fields {
		f := &r.doc.Fields[i]
		switch {
		case !same(f.Name, p.Name):
		case r.doc.Raw[f.Start] != 'n':
			return // the client's own word
		case f.Name == p.Name:
		case strings.EqualFold(f.Name, p.Name):
			e = providers.Edit{Name: f.Name, As: p.Name, Value: p.Value}
		}
	}
	r.fixed = append(r.fixed, p.Name)
	r.edits = append(r.edits, e)
}

// same reports whether two names are of one field. The output's bound has two names, of which
// providers refuse a request that has both.
func same(a, b string) bool {
	return strings.EqualFold(a, b) || isLimit(a) && isLimit(b)
}

func isLimit(name string) bool {
	return strings.EqualFold(name, "max_tokens") || strings.EqualFold(name, "max_completion_tokens")
}

// concerns reports whether an operation knows a field: a key's temperature is nothing to its
// embeddings, nor their dimensions to its chats.
func concerns(name string, op providers.Op) bool {
	switch name {
	case "user", "safety_identifier", "extra_body":
		return true
	case "dimensions", "encoding_format", "input_type", "normalize", "truncate", "truncation_direction", "prompt_name", "title":
		return op == providers.OpEmbeddings
	}
	return op != providers.OpEmbeddings
}
