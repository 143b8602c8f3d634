package anthropic

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// maxField is the bound of the output.
const maxField = "max_tokens"

// Splice implements providers.Dialect: the model, and the gateway's own bound where it is lower,
// are put into the client's bytes, and the fields that the provider refuses are taken out.
// Anthropic sends usage unasked.
func (Dialect) Splice(call *providers.Call) (providers.Plan, error) {
	return newSplicer(call).plan(), nil
}

type splicer struct {
	call    *providers.Call
	doc     *providers.Document
	edits   []providers.Edit
	dropped []string
	max     int64
	clamped string // as Plan.Clamped
}

func newSplicer(call *providers.Call) *splicer {
	s := &splicer{call: call, doc: call.Doc}
	s.edits = append(s.edits, providers.Edit{Name: "model", Value: providers.AppendString(nil, call.Model)})
	if call.Op.Makes() {
		s.bound()
	}
	s.quirks()
	s.ownThinking()
	return s
}

func (s *splicer) plan() providers.Plan {
	p := plan(s.call, s.call.Spliced(s.edits...), nil, s.dropped)
	p.MaxOutput, p.Clamped = providers.MaxOutput(&s.max, nil), s.clamped
	return p
}

// edit gives what is done to a member, to be changed; it is nil where nothing is.
func (s *splicer) edit(name string) *providers.Edit {
	for i := range s.edits {
		if s.edits[i].Name == name {
			return &s.edits[i]
		}
	}
	return nil
}

// bound notes what output the upstream is told at most, and tells it the gateway's own bound
// where the client's is larger or absent. A thinking budget that is larger still is the
// upstream's to refuse.
func (s *splicer) bound() {
	if slices.Contains(s.call.Quirks.Strip, maxField) {
		return
	}
	name := maxField
	for i := range s.doc.Fields { // some parsers do not mind the case, and the bound must hold with those too
		if strings.EqualFold(s.doc.Fields[i].Name, maxField) {
			name = s.doc.Fields[i].Name
		}
	}
	n, _, err := s.doc.Int(name)
	if err == nil && n > 0 {
		s.max = n
	}
	if clamp := s.call.Clamp; clamp > 0 && (s.max == 0 || s.max > clamp) {
		s.max, s.clamped = clamp, maxField+"="+strconv.FormatInt(clamp, 10)
		s.edits = append(s.edits, providers.Edit{Name: name, Value: strconv.AppendInt(nil, clamp, 10)})
	}
}

// quirks leaves out or renames what this provider does not know. A renamed field yields to one
// that already has the name.
func (s *splicer) quirks() {
	q := &s.call.Quirks
	for i := range s.doc.Fields {
		name := s.doc.Fields[i].Name
		as := q.Rename[name]
		switch {
		case slices.Contains(q.Strip, name):
			s.edits = append(s.edits, providers.Edit{Name: name})
			s.dropped = append(s.dropped, name)
		case as == "" || name == "model" || s.doc.Field(as) != nil:
		default:
			s.rename(name, as)
		}
	}
}

// rename says a member under another name, with the value that it may already have been given.
func (s *splicer) rename(name, as string) {
	if e := s.edit(name); e != nil {
		e.As = as
		return
	}
	s.edits = append(s.edits, providers.Edit{Name: name, As: as, Value: s.doc.Value(name)})
}
