package providers

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// Effect is what a governed field does behind the gateway's back.
type Effect uint8

// The effects. NamesModel is held against the key's models; the others are closed to a key
// that may not use everything, unless its allow list names the field.
const (
	NamesModel Effect = iota + 1
	ChangesPrice
	ReachesNetwork
	NamesObject
)

// String says the effect in the words of a refusal.
func (e Effect) String() string {
	switch e {
	case NamesModel:
		return "names another model"
	case ChangesPrice:
		return "changes the price"
	case ReachesNetwork:
		return "reaches a network"
	case NamesObject:
		return "names a stored object"
	}
	return "is governed"
}

// Governed is a request field that names another model, changes the price, reaches a network
// or names a stored object.
type Governed struct {
	// Path is the field's place in the client's JSON: names joined by dots, "#" for the
	// elements of an array, "*" for any member.
	Path   string
	Effect Effect
	// Except lists string values that do nothing of the kind ("function" for tools.#.type).
	Except []string
	// Prefix, where it is set, narrows the rule to string values that begin with one of these
	// ("gs://" for an address that only sometimes names a stored object).
	Prefix []string

	steps []string
}

// Watch finds governed fields while a document is scanned. It is compiled once and shared.
// Names match without regard to case, as some upstreams' parsers do, so that no spelling of a
// governed field slips past.
type Watch struct {
	rules []Governed
	// first and length filter member names before any path is compared.
	first  [256]bool
	length [64]bool
	any    bool
}

// NewWatch compiles the rules of all dialects. Rules of one path and effect become one, which
// excepts what any of them excepts: a value is a provider's word, so one that is harmless where
// it is known says nothing elsewhere.
func NewWatch(lists ...[]Governed) *Watch {
	w := &Watch{}
	for _, list := range lists {
		for _, rule := range list {
			w.add(rule)
		}
	}
	return w
}

func (w *Watch) add(rule Governed) {
	for i := range w.rules {
		if same := &w.rules[i]; same.Path == rule.Path && same.Effect == rule.Effect {
			same.Except = slices.Concat(same.Except, rule.Except)
			return
		}
	}
	rule.steps = strings.Split(rule.Path, ".")
	leaf := rule.steps[len(rule.steps)-1]
	if leaf == "*" {
		w.any = true
	} else {
		w.first[lower(leaf[0])], w.length[len(leaf)] = true, true
	}
	w.rules = append(w.rules, rule)
}

// maybe filters names: a name longer than any path's may still fold to one outside ASCII.
func (w *Watch) maybe(name []byte) bool {
	if w.any || len(name) < len(w.length) && len(name) > 0 && w.length[len(name)] && w.first[lower(name[0])] {
		return true
	}
	for _, c := range name {
		if c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func (w *Watch) match(s *scanner, value []byte) {
	for i := range w.rules {
		if w.rules[i].at(s) && !w.rules[i].harmless(value) {
			s.doc.Hits = append(s.doc.Hits, Hit{Rule: &w.rules[i], Value: value})
		}
	}
}

func (g *Governed) at(s *scanner) bool {
	if len(g.steps) != len(s.path) {
		return false
	}
	for i := len(g.steps) - 1; i >= 0; i-- {
		if !g.stepAt(s, g.steps[i], s.path[i]) {
			return false
		}
	}
	return true
}

func (g *Governed) stepAt(s *scanner, want string, at step) bool {
	if at == (step{}) {
		return want == "#"
	}
	if want == "*" {
		return true
	}
	name := s.raw[at.start:at.end]
	if bytes.IndexByte(name, '\\') >= 0 {
		return strings.EqualFold(unquote(s.raw[at.start-1:at.end+1]), want)
	}
	return strings.EqualFold(string(name), want)
}

func (g *Governed) harmless(value []byte) bool {
	if isNull(value) {
		return true
	}
	if value[0] != '"' {
		return len(g.Prefix) > 0
	}
	if len(g.Prefix) > 0 {
		said := unquote(value)
		return !slices.ContainsFunc(g.Prefix, func(p string) bool { return strings.HasPrefix(said, p) })
	}
	for _, v := range g.Except {
		if unquote(value) == v {
			return true
		}
	}
	return false
}

// Names lists the string leaves of a governed field's value: the models it names.
func (h Hit) Names() []string {
	var names []string
	for i := 0; i < len(h.Value); i++ {
		if h.Value[i] != '"' {
			continue
		}
		s := scanner{raw: h.Value}
		end, _, err := s.str(i + 1)
		if err != nil {
			return names
		}
		after := s.space(end)
		if after >= len(h.Value) || h.Value[after] != ':' { // not a member's name
			names = append(names, unquote(h.Value[i:end]))
		}
		i = end - 1
	}
	return names
}
