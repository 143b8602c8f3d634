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
	// OpensFeature is of a header: it names a feature that the gateway does not know.
	OpensFeature
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
	case OpensFeature:
		return "opens a feature that the gateway does not know"
	}
	return "is governed"
}

// Governed is a request field that names another model, changes the price, reaches a network
// or names a stored object.
type Governed struct {
	steps []string // of Path; first, as most rules are looked at no further

	// Path is the field's place in the client's JSON: names joined by dots, "#" for the
	// elements of an array, "*" for any member.
	Path   string
	Effect Effect
	// Except lists string values that do nothing of the kind ("function" for tools.#.type).
	Except []string
	// Prefix, where it is set, narrows the rule to string values that begin with one of these
	// ("gs://" for an address that only sometimes names a stored object).
	Prefix []string
	// Where, where it is set, narrows the rule to fields of those elements of an array for which it
	// holds; it is given the element as it stands.
	Where func(element []byte) bool

	// How a NamesObject field names what an account keeps for one of its users; see Hit.Objects.

	// Members are the names under which an object in the value has ids, in any case; nil: any
	// string in it is one.
	Members []string
	// ID gives the id that a string names, "" where it names no stored object (a public address);
	// nil: the string is the id.
	ID func(said string) string
	// Shared is set where what is named belongs to the account itself and to none of its users
	// (a prompt that was written in the provider's console).
	Shared bool
}

// Watch finds governed fields while a document is scanned. It is compiled once and shared.
// Names match without regard to case, as some upstreams' parsers do, so that no spelling of a
// governed field slips past.
type Watch struct {
	rules  []*Governed
	levels []level // by the depth of a rule's path
}

// level holds the rules of one depth. Nearly every member is turned away by its name's length
// and first letter before any path is compared.
type level struct {
	letters [64]uint32 // by a name's length: the first letters that rules have, case folded
	named   []*Governed
	wild    []*Governed // those that end in "*"
}

// NewWatch compiles the rules of all dialects. Rules of one path, effect and prefix that hold
// everywhere become one, which excepts what any of them excepts: a value is a provider's word, so
// one that is harmless where it is known says nothing elsewhere.
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
	for _, same := range w.rules {
		if same.Path == rule.Path && same.Effect == rule.Effect && slices.Equal(same.Prefix, rule.Prefix) && same.Where == nil && rule.Where == nil {
			same.Except = slices.Concat(same.Except, rule.Except)
			same.join(&rule)
			return
		}
	}
	rule.steps = strings.Split(rule.Path, ".")
	w.rules = append(w.rules, &rule)
	for len(w.levels) <= len(rule.steps) {
		w.levels = append(w.levels, level{})
	}
	l := &w.levels[len(rule.steps)]
	leaf := rule.steps[len(rule.steps)-1]
	if leaf == "*" {
		l.wild = append(l.wild, &rule)
		return
	}
	l.letters[len(leaf)] |= letter(leaf[0])
	l.named = append(l.named, &rule)
}

// join has a rule read a value as strictly as the other one of its path does.
func (g *Governed) join(other *Governed) {
	g.Shared = g.Shared && other.Shared
	if g.Members == nil || other.Members == nil {
		g.Members = nil
	} else {
		g.Members = slices.Concat(g.Members, other.Members)
	}
	if g.ID == nil || other.ID == nil {
		g.ID = nil
	}
}

// maybe filters names: one outside ASCII may still fold to a rule's.
func (l *level) maybe(name []byte) bool {
	if len(name) > 0 && len(name) < len(l.letters) && l.letters[len(name)]&letter(name[0]) != 0 {
		return true
	}
	for _, c := range name {
		if c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// letter gives each letter a bit, whatever its case; other characters share them.
func letter(c byte) uint32 { return 1 << (c & 31) }

// match notes the member that s has just read where a rule names it.
func (w *Watch) match(s *scanner, name, value []byte, escaped bool) {
	if len(s.path) >= len(w.levels) {
		return
	}
	l := &w.levels[len(s.path)]
	if len(l.named) > 0 && (escaped || l.maybe(name)) {
		l.hit(s, l.named, value)
	}
	if len(l.wild) > 0 {
		l.hit(s, l.wild, value)
	}
}

func (*level) hit(s *scanner, rules []*Governed, value []byte) {
	for _, g := range rules {
		if g.at(s) && !g.harmless(value) {
			h := Hit{Rule: g, Value: value}
			if g.Where != nil {
				h.element = s.path[len(s.path)-2].start
			}
			s.doc.Hits = append(s.doc.Hits, h)
		}
	}
}

// narrow drops the hits in elements that their rules do not mean. It comes behind the scan, as what
// an element is may stand behind the field.
func (d *Document) narrow() {
	s := scanner{raw: d.Raw, path: d.path[:0]}
	d.Hits = slices.DeleteFunc(d.Hits, func(h Hit) bool {
		if h.Rule.Where == nil {
			return false
		}
		end, err := s.value(h.element, 1)
		return err == nil && !h.Rule.Where(d.Raw[h.element:end])
	})
}

// at compares the path from its root, where paths differ most.
func (g *Governed) at(s *scanner) bool {
	for i, want := range g.steps {
		if !g.stepAt(s, want, s.path[i]) {
			return false
		}
	}
	return true
}

func (g *Governed) stepAt(s *scanner, want string, at step) bool {
	if at.end == 0 {
		return want == "#"
	}
	if want == "*" {
		return true
	}
	name := s.raw[at.start:at.end]
	if string(name) == want {
		return true
	}
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
		if string(value[1:len(value)-1]) == v || bytes.IndexByte(value, '\\') >= 0 && unquote(value) == v {
			return true
		}
	}
	return false
}

// Objects lists the ids of stored objects that a governed field names. It is empty where the
// field is of another kind, or names something that is nobody's.
func (h Hit) Objects() []string {
	if h.Rule.Effect != NamesObject || h.Rule.Shared || len(h.Value) == 0 {
		return nil
	}
	said := h.Names()
	if h.Value[0] == '{' && h.Rule.Members != nil {
		said = h.members()
	}
	var ids []string
	for _, id := range said {
		if h.Rule.ID != nil {
			id = h.Rule.ID(id)
		}
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// members gives the strings that the value has under the rule's names. One that is an object
// below them counts whole.
func (h Hit) members() []string {
	var doc Document
	if err := doc.Scan(h.Value, nil); err != nil {
		return h.Names() // two readers may differ, so all of it counts
	}
	var said []string
	for i := range doc.Fields {
		at := &doc.Fields[i]
		if slices.ContainsFunc(h.Rule.Members, func(name string) bool { return strings.EqualFold(name, at.Name) }) {
			said = append(said, Hit{Value: doc.Raw[at.Start:at.End]}.Names()...)
		}
	}
	return said
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
		after := SkipSpace(h.Value, end)
		if after >= len(h.Value) || h.Value[after] != ':' { // not a member's name
			names = append(names, unquote(h.Value[i:end]))
		}
		i = end - 1
	}
	return names
}
