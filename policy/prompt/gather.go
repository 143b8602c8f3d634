package prompt

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

// Kinds are those of the documents that prompts are gathered from.
func Kinds() []storage.Kind {
	return []storage.Kind{storage.PromptKind(), storage.PromptVersionKind(), storage.PromptLabelKind()}
}

// Gatherer makes sets out of a store's documents. A version that it has made ready before is taken
// as it is.
type Gatherer struct{ ready map[place]made }

type place struct{ workspace, id string }

type made struct {
	body    string
	version *Version
}

// Gather makes a set of all documents of Kinds. A version that this release cannot read is broken,
// and fails the calls that want it.
func (g *Gatherer) Gather(documents []storage.Document) (*Set, error) {
	next := map[place]made{}
	found := map[place]*Prompt{}
	at := func(workspace, name string) *Prompt {
		p := found[place{workspace, name}]
		if p == nil {
			p = &Prompt{Workspace: workspace, Name: name, Versions: map[int]*Version{}, Labels: map[string][]storage.PromptShare{}}
			found[place{workspace, name}] = p
		}
		return p
	}
	for i := range documents {
		d := &documents[i]
		var err error
		switch d.Kind.Name {
		case storage.PromptKind().Name:
			var noun storage.Prompt
			err = json.Unmarshal(d.Body, &noun)
			at(d.Workspace, d.ID).Latest = noun.Latest
		case storage.PromptLabelKind().Name:
			var noun storage.PromptLabel
			err = json.Unmarshal(d.Body, &noun)
			at(d.Workspace, noun.Prompt).Labels[noun.Name] = noun.Shares
		case storage.PromptVersionKind().Name:
			var noun storage.PromptVersion
			err = json.Unmarshal(d.Body, &noun)
			at(d.Workspace, noun.Prompt).Versions[noun.Number] = g.version(d, &noun, next)
		default:
			err = errors.New("it is none of a prompt's")
		}
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", d.Kind.Name, d.ID, err)
		}
	}
	g.ready = next
	all := make([]*Prompt, 0, len(found))
	for _, p := range found {
		all = append(all, p)
	}
	return NewSet(all), nil
}

func (g *Gatherer) version(d *storage.Document, noun *storage.PromptVersion, next map[place]made) *Version {
	at := place{d.Workspace, d.ID}
	old, ok := g.ready[at]
	if !ok || old.body != string(d.Body) {
		v := &Version{Name: noun.Prompt + "@" + strconv.Itoa(noun.Number)}
		v.Template, v.Broken = Compile(&noun.Template)
		old = made{string(d.Body), v}
	}
	next[at] = old
	return old.version
}
