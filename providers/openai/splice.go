package openai

import (
	"slices"

	"github.com/aistrale/aistrale/providers"
)

// Splice implements providers.Dialect: the client's bytes with the upstream's model name and
// the ask for usage put in. Whatever else a provider may refuse is its own 400 to give, but
// for the fields that its quirks name.
func (Dialect) Splice(call *providers.Call) (providers.Plan, error) {
	s := splicer{call: call, doc: call.Doc}
	s.edits = append(s.edits, providers.Edit{Name: "model", Value: providers.AppendString(nil, call.Model)})
	if call.Stream && call.Op.Makes() {
		if err := s.usage(); err != nil {
			return providers.Plan{}, err
		}
	}
	s.bound()
	s.quirks()
	s.plan.Requests = call.One(call.Spliced(s.edits...))
	return s.plan, nil
}

type splicer struct {
	call  *providers.Call
	doc   *providers.Document
	edits []providers.Edit
	plan  providers.Plan
}

// usage asks the upstream for its usage event whether the client did or not: without it a
// stream cannot be billed. Other members of stream_options stay.
func (s *splicer) usage() error {
	raw := s.doc.Value("stream_options")
	if s.call.Quirks.NoStreamUsage {
		if raw != nil {
			s.drop("stream_options", raw)
		}
		return nil
	}
	if isNull(raw) {
		s.plan.HideUsage = true
		s.edits = append(s.edits, providers.Edit{Name: "stream_options", Value: []byte(`{"include_usage":true}`)})
		return nil
	}
	if raw[0] != '{' {
		return nil
	}
	var options providers.Document
	if err := options.Scan(raw, nil); err != nil {
		return Refuse("stream_options", "", "Invalid 'stream_options': "+err.Error()+".")
	}
	if said, _, err := options.Bool("include_usage"); err == nil && !said {
		s.plan.HideUsage = true
		value := options.Splice(nil, providers.Edit{Name: "include_usage", Value: []byte("true")})
		s.edits = append(s.edits, providers.Edit{Name: "stream_options", Value: value})
	}
	return nil // a wrong type is the upstream's to refuse
}

func (s *splicer) drop(name string, raw []byte) {
	s.edits = slices.DeleteFunc(s.edits, func(e providers.Edit) bool { return e.Name == name })
	s.edits = append(s.edits, providers.Edit{Name: name})
	if !isNull(raw) {
		s.plan.Dropped = append(s.plan.Dropped, name)
	}
}

// rename says a member under another name, with the value that it may already have been given.
func (s *splicer) rename(name, to string, raw []byte) {
	for i := range s.edits {
		if s.edits[i].Name == name {
			s.edits[i].As = to
			return
		}
	}
	s.edits = append(s.edits, providers.Edit{Name: name, As: to, Value: raw})
}

// quirks leaves out or renames what this provider does not know. A renamed field yields to
// one that already has the name.
func (s *splicer) quirks() {
	q := &s.call.Quirks
	for i := range s.doc.Fields {
		f := &s.doc.Fields[i]
		raw := s.doc.Raw[f.Start:f.End]
		to := q.Rename[f.Name]
		switch {
		case slices.Contains(q.Strip, f.Name):
			s.drop(f.Name, raw)
		case to == "" || f.Name == "model":
		case isNull(s.doc.Value(to)):
			if s.doc.Field(to) != nil {
				s.drop(to, nil)
			}
			s.rename(f.Name, to, raw)
		default:
			s.drop(f.Name, raw)
		}
	}
}
