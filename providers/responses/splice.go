package responses

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

const limitName = "max_output_tokens"

// Splice implements providers.Dialect: the client's bytes with the upstream's model name put in.
// Reasoning that another language sealed is left out: to OpenAI it would be a forgery.
func (Dialect) Splice(call *providers.Call) (providers.Plan, error) {
	s := splicer{call: call, doc: call.Doc}
	s.edits = append(s.edits, providers.Edit{Name: "model", Value: providers.AppendString(nil, call.Model)})
	plan := s.limit()
	s.foreign()
	s.quirks()
	plan.Dropped = s.dropped
	plan.Requests = call.One(call.Spliced(s.edits...))
	return plan, nil
}

type splicer struct {
	call    *providers.Call
	doc     *providers.Document
	edits   []providers.Edit
	dropped []string
}

// limit notes what output the upstream is told at most, and tells it the gateway's own bound
// where the client's is larger or absent.
func (s *splicer) limit() (plan providers.Plan) {
	said, _, err := s.doc.Int(limitName)
	if err != nil || said < 0 {
		said = 0 // the upstream's to refuse
	}
	if slices.Contains(s.call.Quirks.Strip, limitName) {
		said = 0
	}
	clamp := s.call.Clamp
	if s.doc.Field(limitName) == nil {
		for i := range s.doc.Fields { // in a spelling that some servers' parsers take for it
			if strings.EqualFold(s.doc.Fields[i].Name, limitName) {
				clamp = 0
			}
		}
	}
	if clamp > 0 && (said == 0 || said > clamp) && !slices.Contains(s.call.Quirks.Strip, limitName) {
		said = max(clamp, leastOutput)
		value := strconv.AppendInt(nil, said, 10)
		s.edits = append(s.edits, providers.Edit{Name: limitName, Value: value})
		plan.Clamped = limitName + "=" + string(value)
	}
	plan.MaxOutput = providers.MaxOutput(&said, nil)
	return plan
}

// foreign leaves out the reasoning items that the gateway sealed for another minter.
func (s *splicer) foreign() {
	input := s.doc.Value("input")
	if !bytes.Contains(input, []byte(`"`+sealTag)) || input[0] != '[' {
		return
	}
	kept := []byte{'['}
	gjson.ParseBytes(input).ForEach(func(_, item gjson.Result) bool {
		if item.Get("type").Str == "reasoning" && strings.HasPrefix(item.Get("encrypted_content").Str, sealTag) {
			return true
		}
		if len(kept) > 1 {
			kept = append(kept, ',')
		}
		kept = append(kept, item.Raw...)
		return true
	})
	s.edits = append(s.edits, providers.Edit{Name: "input", Value: append(kept, ']')})
}

// quirks leaves out or renames what this provider does not know.
func (s *splicer) quirks() {
	q := &s.call.Quirks
	for i := range s.doc.Fields {
		f := &s.doc.Fields[i]
		raw := s.doc.Raw[f.Start:f.End]
		to := q.Rename[f.Name]
		switch {
		case slices.Contains(q.Strip, f.Name):
			s.edits = append(slices.DeleteFunc(s.edits, func(e providers.Edit) bool { return e.Name == f.Name }), providers.Edit{Name: f.Name})
			if !isNull(raw) {
				s.dropped = providers.AddDropped(s.dropped, f.Name)
			}
		case to != "" && f.Name != "model" && s.doc.Field(to) == nil:
			s.rename(f.Name, to, raw)
		}
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
