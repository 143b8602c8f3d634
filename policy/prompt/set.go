package prompt

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Prefix begins the name of a model that stands for a stored prompt.
const Prefix = "prompt/"

// Named gives what a model's name says of a prompt: its name, and the label or version behind @.
func Named(model string) (Ref, bool) {
	rest, ok := strings.CutPrefix(model, Prefix)
	if !ok {
		return Ref{}, false
	}
	return ParseRef(rest), true
}

// Ref names a version of a prompt.
type Ref struct {
	Name string
	At   string // a label, or a version's number; "" the usual one
}

// ParseRef reads "name", "name@label" or "name@3".
func ParseRef(text string) Ref {
	name, at, _ := strings.Cut(text, "@")
	return Ref{name, at}
}

// String says it as the name of a model.
func (r Ref) String() string {
	if r.At == "" {
		return Prefix + r.Name
	}
	return Prefix + r.Name + "@" + r.At
}

// Set is all prompts that there are. It is built whole and never changed.
type Set struct{ spaces map[string]map[string]*Prompt }

// NewSet holds prompts, each of a workspace.
func NewSet(all []*Prompt) *Set {
	s := &Set{spaces: map[string]map[string]*Prompt{}}
	for _, p := range all {
		if s.spaces[p.Workspace] == nil {
			s.spaces[p.Workspace] = map[string]*Prompt{}
		}
		s.spaces[p.Workspace][p.Name] = p
	}
	return s
}

// Of gives the prompts of a workspace, in the order of their names.
func (s *Set) Of(workspace string) []*Prompt {
	if s == nil {
		return nil
	}
	return slices.SortedFunc(maps.Values(s.spaces[workspace]), func(a, b *Prompt) int { return strings.Compare(a.Name, b.Name) })
}

// Find gives a prompt of a workspace, nil where there is none.
func (s *Set) Find(workspace, name string) *Prompt {
	if s == nil {
		return nil
	}
	return s.spaces[workspace][name]
}

// Prompt is a prompt with its versions and labels.
type Prompt struct {
	Workspace, Name string
	Latest          int // the newest version's number
	Versions        map[int]*Version
	Labels          map[string][]storage.PromptShare
}

// Version is one version, ready to be rendered.
type Version struct {
	Name string // "greeting@3"
	*Template
	Broken error // why it cannot be used; nil where it can
}

// Choose gives the version that is meant by a label or a number. Where a label splits, sticky, a
// hash of whom the call is for, always gets the same one for as long as the shares stay.
func (p *Prompt) Choose(at string, sticky uint64) (*Version, error) {
	number, err := p.Number(at, sticky)
	if err != nil {
		return nil, err
	}
	v := p.Versions[number]
	if v == nil {
		return nil, p.unknown(at)
	}
	if v.Broken != nil {
		return nil, &providers.Fault{Kind: providers.FaultInternal, NoRetry: true, Cause: fmt.Errorf("prompt %s: %w", v.Name, v.Broken),
			Message: "The prompt `" + v.Name + "` cannot be used by this gateway."}
	}
	return v, nil
}

// Number gives the number of the version that Choose chooses; there may be none of it.
func (p *Prompt) Number(at string, sticky uint64) (int, error) {
	label := cmp.Or(at, storage.DefaultPromptLabel)
	shares, ok := p.Labels[label]
	switch {
	case ok:
		salt := policy.HashParts(p.Workspace, p.Name, label)
		i := policy.Rendezvous(sticky^salt, len(shares), func(i int) (uint64, int) {
			return policy.HashParts(strconv.Itoa(shares[i].Version)), shares[i].Weight
		})
		return shares[i].Version, nil
	case at == "" || at == storage.LatestPrompt:
		return p.Latest, nil
	}
	number, err := strconv.Atoi(at)
	if err != nil {
		return 0, p.unknown(at)
	}
	return number, nil
}

func (p *Prompt) unknown(at string) error { return Unknown(Ref{p.Name, at}) }

// Unknown refuses a prompt, or a version of one, that there is not.
func Unknown(r Ref) error {
	return &providers.Fault{Kind: providers.FaultNoModel, Code: "prompt_not_found", NoRetry: true,
		Message: "The prompt `" + shorten(strings.TrimPrefix(r.String(), Prefix)) + "` does not exist or you do not have access to it."}
}
