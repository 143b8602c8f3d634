package openai

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// The names of a choice's bound.
const (
	newLimit = "max_completion_tokens"
	oldLimit = "max_tokens"
)

// completionsLimit is what Completions makes where nothing is said.
// Source: https://platform.openai.com/docs/api-reference/completions/create
const completionsLimit = 16

// limits is what a request says of how much the upstream may make. Names count whatever their
// case: some servers' parsers do not mind it, and a bound must hold with those too.
type limits struct {
	fields  [2]*providers.Field // those that bound a choice
	bounds  int                 // how many they are: a document has no name twice, in any case
	said    int64               // the largest under its proper name, 0 where there is none
	largest int64               // of all
	choices int64
}

func (s *splicer) readLimits() limits {
	l := limits{choices: 1}
	prompts := int64(1)
	for i := range s.doc.Fields {
		f := &s.doc.Fields[i]
		switch {
		case is(f, "n"), is(f, "best_of") && s.call.Op == providers.OpCompletions:
			l.choices = max(l.choices, s.count(f))
		case is(f, "prompt") && s.call.Op == providers.OpCompletions:
			prompts = countPrompts(s.doc.Raw[f.Start:f.End])
		case is(f, newLimit), is(f, oldLimit):
			if !s.keeps(f) {
				continue
			}
			n := s.count(f)
			l.fields[l.bounds], l.largest = f, max(l.largest, n)
			l.bounds++
			if f.Name == newLimit || f.Name == oldLimit {
				l.said = max(l.said, n)
			}
		}
	}
	const most = 1 << 30 // beyond what any provider takes, and safe to multiply
	l.choices = min(l.choices, most) * prompts
	return l
}

// keeps reports whether a bound is said and reaches the upstream.
func (s *splicer) keeps(f *providers.Field) bool {
	q := &s.call.Quirks
	to := q.Rename[f.Name]
	return !isNull(s.doc.Raw[f.Start:f.End]) && !slices.Contains(q.Strip, f.Name) && (to == "" || isNull(s.doc.Value(to)))
}

func is(f *providers.Field, name string) bool {
	c := f.Name
	return c == name || c != "" && (c[0]|0x20 == name[0] || c[0] >= 0x80) && strings.EqualFold(c, name)
}

// count reads a whole number; one of a wrong type is the upstream's to refuse, and counts as 0.
func (s *splicer) count(f *providers.Field) int64 {
	n, _, err := s.doc.Int(f.Name)
	if err != nil {
		return 0
	}
	return max(0, n)
}

// countPrompts counts the prompts of a completion: each gets choices of its own. An array of
// numbers is one prompt, in tokens.
func countPrompts(raw []byte) int64 {
	n := int64(0)
	if len(raw) == 0 || raw[0] != '[' {
		return 1
	}
	gjson.ParseBytes(raw).ForEach(func(_, prompt gjson.Result) bool {
		n++
		return prompt.Type != gjson.Number
	})
	return max(1, n)
}

// bound notes what output the upstream is told at most, and tells it the gateway's own bound
// where the client's is larger or absent. Nothing else of the body changes.
func (s *splicer) bound() {
	if !s.call.Op.Makes() {
		return
	}
	l := s.readLimits()
	most := l.largest
	if l.said == 0 {
		most = 0 // nothing that every upstream reads
		if s.call.Op == providers.OpCompletions && l.bounds == 0 {
			most = completionsLimit
		}
	}
	if share := providers.Share(s.call.Clamp, l.choices); share > 0 {
		most = s.clamp(&l, share)
	}
	s.plan.MaxOutput, s.plan.Choices = providers.MaxOutput(&most, &l.choices), l.choices
}

// clamp gives the bound of a choice that is told in the end, 0 where it cannot be.
func (s *splicer) clamp(l *limits, share int64) int64 {
	told := int64(0)
	for _, f := range l.fields[:l.bounds] {
		n, name := s.count(f), oldLimit
		if is(f, newLimit) {
			name = newLimit
		}
		if n < 1 || n > share { // to some servers 0 and -1 are no bound
			n = share
			s.clamped(name, n)
		} else if f.Name == name {
			told = max(told, n)
			continue
		}
		s.respell(f, name, n)
		told = max(told, n)
	}
	if l.bounds > 0 {
		return told
	}
	return s.addLimit(share)
}

// respell says a bound under its proper name, at its own place.
func (s *splicer) respell(f *providers.Field, name string, n int64) {
	e := providers.Edit{Name: f.Name, Value: strconv.AppendInt(nil, n, 10)}
	if f.Name != name {
		if e.As = name; s.call.Quirks.Rename[name] != "" {
			e.As = s.call.Quirks.Rename[name]
		}
		if s.doc.Field(e.As) != nil {
			e = providers.Edit{Name: f.Name} // the other one is bounded too
		}
	}
	s.edits = append(s.edits, e)
}

// addLimit says a bound where the client said none.
func (s *splicer) addLimit(share int64) int64 {
	name := s.limitName()
	switch {
	case name == "":
		return 0
	case s.call.Op == providers.OpCompletions && share >= completionsLimit:
		share = completionsLimit // as if nothing were said
	default:
		s.clamped(name, share)
	}
	if as := s.call.Quirks.Rename[name]; as != "" && s.doc.Field(name) == nil {
		name = as
	}
	s.edits = append(s.edits, providers.Edit{Name: name, Value: strconv.AppendInt(nil, share, 10)})
	return share
}

// limitName is the name under which this upstream takes a bound, as a client would write it; ""
// where its quirks leave none.
func (s *splicer) limitName() string {
	names := []string{newLimit, oldLimit}
	if s.call.Op == providers.OpCompletions {
		names = names[1:]
	} else if !isNull(s.doc.Value("prediction")) {
		// Beside a prediction the newer name is a 400.
		// Source: https://platform.openai.com/docs/guides/predicted-outputs#limitations
		slices.Reverse(names)
	}
	for _, name := range names {
		if !slices.Contains(s.call.Quirks.Strip, name) {
			return name
		}
	}
	return ""
}

func (s *splicer) clamped(name string, n int64) {
	s.plan.Clamped = name + "=" + strconv.FormatInt(n, 10)
}
