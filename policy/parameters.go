package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Rewrite appends a client's body with the operator's parameters put in, and says whether it
// did: where they ask for nothing that the body does not say already, dst and false. Later sets
// go before earlier ones; give an alias' first, then the key's. A parameter that is forced, and
// for which the client's language has no word, is a *providers.Fault.
func Rewrite(dst []byte, doc *providers.Document, at *providers.Endpoint, sets ...*storage.Parameters) (body []byte, changed bool, err error) {
	edits, err := Edits(doc, at, sets...)
	if err != nil || len(edits) == 0 {
		return dst, false, err
	}
	return doc.Splice(dst, edits...), true, nil
}

// Edits gives the edits by which Rewrite puts the parameters in.
func Edits(doc *providers.Document, at *providers.Endpoint, sets ...*storage.Parameters) ([]providers.Edit, error) {
	if !slices.ContainsFunc(sets, func(s *storage.Parameters) bool { return len(s.Defaults)+len(s.Force) > 0 }) {
		return nil, nil
	}
	var chosen settings
	for _, set := range slices.Backward(sets) {
		for i := range set.Force {
			if err := chosen.add(at, &set.Force[i], true); err != nil {
				return nil, err
			}
		}
	}
	for _, set := range slices.Backward(sets) {
		for i := range set.Defaults {
			_ = chosen.add(at, &set.Defaults[i], false) // what has no word is not said
		}
	}
	return editsOf(doc, chosen.list, at.Words == nil)
}

// Unsaid names the defaults that an endpoint's language has no word for, though its operation
// knows of such.
func Unsaid(at *providers.Endpoint, set *storage.Parameters) []string {
	var names []string
	for i := range set.Defaults {
		p := &set.Defaults[i]
		if _, known := at.Words[p.Name]; at.Words != nil && !known && concerns(p, at.Op) {
			names = append(names, p.Name)
		}
	}
	return names
}

// setting is a parameter with its place in a body of the client's language.
type setting struct {
	path  []string
	value []byte // nil takes the field out
	force bool
}

type settings struct {
	list  []setting
	names []string // that have been set: the first of a name counts
}

func (s *settings) add(at *providers.Endpoint, p *storage.Parameter, force bool) error {
	if !concerns(p, at.Op) || slices.ContainsFunc(s.names, func(name string) bool { return same(name, p.Name) }) {
		return nil
	}
	word, value := providers.Word{Path: p.Name}, p.Value
	if string(value) == "null" {
		value = nil
	}
	if at.Words != nil {
		known, ok := at.Words[p.Name]
		switch {
		case !ok && force && value != nil:
			return &providers.Fault{Kind: providers.FaultInvalid, NoRetry: true,
				Message: fmt.Sprintf("This key or model is bound to a value of '%s', which cannot be said on this endpoint; use /v1/chat/completions.", p.Name)}
		case !ok:
			return nil
		}
		word = known
	}
	if word.Path == "" {
		return nil
	}
	if word.List && value != nil && value[0] != '[' {
		value = slices.Concat([]byte{'['}, value, []byte{']'})
	}
	s.names = append(s.names, p.Name)
	s.list = append(s.list, setting{path: strings.Split(word.Path, "."), value: value, force: force})
	return nil
}

// editsOf gives the edits that put settings into an object. Those of members of a member become
// one edit of it.
func editsOf(doc *providers.Document, list []setting, own bool) ([]providers.Edit, error) {
	e := editor{doc: doc, own: own}
	for i := range list {
		s := &list[i]
		switch {
		case len(s.path) > 1:
			if slices.ContainsFunc(list[:i], func(b setting) bool { return len(b.path) > 1 && b.path[0] == s.path[0] }) {
				continue // with the first of its member
			}
			if err := e.descend(s.path[0], list[i:]); err != nil {
				return nil, err
			}
		case s.force:
			e.force(s.path[0], s.value)
		default:
			e.fill(s.path[0], s.value)
		}
	}
	return e.edits, nil
}

// editor gathers the edits of one object.
type editor struct {
	doc   *providers.Document
	own   bool // the words are OpenAI's
	edits []providers.Edit
}

// descend puts settings into the members of one member. What is no object, and so nothing that
// the upstream would take, is its own to refuse, unless something is forced there.
func (e *editor) descend(name string, list []setting) error {
	var inner []setting
	for _, s := range list {
		if len(s.path) > 1 && s.path[0] == name {
			s.path = s.path[1:]
			inner = append(inner, s)
		}
	}
	var below providers.Document
	at := providers.Edit{Name: name}
	raw := []byte("{}")
	said := false
	for i := range e.doc.Fields {
		f := &e.doc.Fields[i]
		if !alike(f.Name, name) {
			continue
		}
		if said {
			return providers.Invalid(name, fmt.Sprintf("the request body has the members %q and %q, which are one", at.Name, f.Name))
		}
		at.Name, raw, said = f.Name, e.doc.Raw[f.Start:f.End], true
	}
	if raw[0] != '{' {
		if raw[0] != 'n' && !slices.ContainsFunc(inner, func(s setting) bool { return s.force }) {
			return nil
		}
		raw = []byte("{}")
	}
	if err := below.Scan(raw, nil); err != nil {
		return err
	}
	edits, err := editsOf(&below, inner, e.own)
	if err != nil || len(edits) == 0 {
		return err
	}
	at.Value = below.Splice(nil, edits...)
	e.edits = append(e.edits, at)
	return nil
}

// force sets a field under its own name, wherever the client said it and however it spelled
// that: some servers' parsers do not mind a name's case, or take snake_case for camelCase.
func (e *editor) force(name string, value []byte) {
	placed := false
	for i := range e.doc.Fields {
		f := &e.doc.Fields[i]
		if !e.same(f.Name, name) {
			continue
		}
		own := alike(f.Name, name)
		switch {
		case !own || value == nil || placed:
			e.edits = append(e.edits, providers.Edit{Name: f.Name})
		case f.Name != name:
			e.edits = append(e.edits, providers.Edit{Name: f.Name, As: name, Value: value})
		case string(e.doc.Raw[f.Start:f.End]) != string(value):
			e.edits = append(e.edits, providers.Edit{Name: f.Name, Value: value})
		}
		placed = placed || own
	}
	if !placed && value != nil {
		e.edits = append(e.edits, providers.Edit{Name: name, Value: value})
	}
}

// fill sets a field that nobody has set.
func (e *editor) fill(name string, value []byte) {
	edit := providers.Edit{Name: name, Value: value}
	for i := range e.doc.Fields {
		f := &e.doc.Fields[i]
		switch {
		case !e.same(f.Name, name):
		case e.doc.Raw[f.Start] != 'n':
			return // the client's own word
		case f.Name == name:
		case alike(f.Name, name):
			edit = providers.Edit{Name: f.Name, As: name, Value: value}
		}
	}
	e.edits = append(e.edits, edit)
}

func (e *editor) same(a, b string) bool { return alike(a, b) || e.own && same(a, b) }

// alike reports whether some parser takes two names for one.
func alike(a, b string) bool {
	return strings.EqualFold(a, b) || strings.EqualFold(strings.ReplaceAll(a, "_", ""), strings.ReplaceAll(b, "_", ""))
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
// embeddings, nor their dimensions to its chats. A name that chats and others share is told apart
// by what its value is.
func concerns(p *storage.Parameter, op providers.Op) bool {
	text := len(p.Value) > 0 && p.Value[0] == '"'
	switch p.Name {
	case "user":
		return op.Makes() || op == providers.OpEmbeddings || paints(op)
	case "extra_body":
		return op.Makes() || op == providers.OpEmbeddings
	case "dimensions", "encoding_format", "input_type", "normalize", "truncate", "truncation_direction", "prompt_name", "title":
		return op == providers.OpEmbeddings
	case "n":
		return op.Makes() || paints(op)
	case "response_format": // chats have objects
		return text && op.Media() || !text && op.Makes()
	case "background": // of Responses it is true or false
		return text && (op == providers.OpImages || op == providers.OpImageEdits) || !text && op.Makes()
	case "speed": // Anthropic's is a word
		return !text && op == providers.OpSpeech || text && op.Makes()
	}
	if ops := ofMedia(p.Name); ops != nil {
		return slices.Contains(ops, op)
	}
	return op.Makes()
}

func paints(op providers.Op) bool {
	return op == providers.OpImages || op == providers.OpImageEdits || op == providers.OpImageVariations
}

// ofMedia gives the operations that know a field which no chat has; nil where some may.
// Source: https://platform.openai.com/docs/api-reference (audio, images).
func ofMedia(name string) []providers.Op {
	switch name {
	case "voice", "stream_format":
		return []providers.Op{providers.OpSpeech}
	case "language", "timestamp_granularities", "timestamp_granularities[]", "chunking_strategy":
		return []providers.Op{providers.OpTranscription}
	case "size":
		return []providers.Op{providers.OpImages, providers.OpImageEdits, providers.OpImageVariations}
	case "quality", "output_format", "output_compression", "partial_images":
		return []providers.Op{providers.OpImages, providers.OpImageEdits}
	case "moderation", "style":
		return []providers.Op{providers.OpImages}
	case "input_fidelity":
		return []providers.Op{providers.OpImageEdits}
	}
	return nil
}
