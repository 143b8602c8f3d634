package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// PromptLabel is a label as the API shows one.
type PromptLabel struct {
	Prompt   string                `json:"prompt"`
	Label    string                `json:"label"`
	Versions []storage.PromptShare `json:"versions"`
}

func (a *api) promptLabels() shelf[storage.PromptLabel] {
	return shelf[storage.PromptLabel]{a.Store, storage.PromptLabelKind()}
}

func (a *api) labelsOf(ctx context.Context, workspace, name string) ([]kept[storage.PromptLabel], error) {
	return a.promptLabels().list(ctx, storage.DocumentQuery{Workspace: workspace, Prefix: name + "/"})
}

func showPromptLabel(l *kept[storage.PromptLabel]) PromptLabel {
	return PromptLabel{l.Noun.Prompt, l.Noun.Name, l.Noun.Shares}
}

// PromptLabelName names a label of a prompt.
type PromptLabelName struct {
	PromptName
	Label string `path:"label" maxLength:"64"`
}

func (a *api) getPromptLabel(ctx context.Context, in *PromptLabelName) (*one[PromptLabel], error) {
	l, err := a.promptLabels().get(ctx, in.Workspace, storage.PromptLabelID(in.Name, in.Label))
	if err != nil {
		return nil, err
	}
	return &one[PromptLabel]{ETag: etag(l.Revision), Body: showPromptLabel(&l)}, nil
}

type promptLabelMove struct {
	PromptLabelName
	Match
	Body struct {
		Versions []storage.PromptShare `json:"versions" minItems:"1" maxItems:"16" doc:"One version, or several that share the calls by their weights"`
	}
}

// movePromptLabel has a label stand for other versions. One that is not there is made, and needs no
// If-Match.
func (a *api) movePromptLabel(ctx context.Context, in *promptLabelMove) (*one[PromptLabel], error) {
	id := storage.PromptLabelID(in.Name, in.Label)
	c := change{action: policy.PromptsWrite, target: "prompt/" + in.Name + "@" + in.Label, workspace: in.Workspace}
	err := a.inPrompt(ctx, &in.PromptName, &c, func(ctx context.Context, p *kept[storage.Prompt]) error {
		if before, err := a.promptLabels().get(ctx, in.Workspace, id); err == nil {
			c.before = showPromptLabel(&before)
		}
		c.after = PromptLabel{in.Name, in.Label, in.Body.Versions}
		return a.putLabel(ctx, p, in.Label, in.Match, in.Body.Versions)
	})
	if err != nil {
		return nil, err
	}
	return a.getPromptLabel(ctx, &in.PromptLabelName)
}

// putLabel keeps what a label stands for.
func (a *api) putLabel(ctx context.Context, p *kept[storage.Prompt], label string, m Match, shares []storage.PromptShare) error {
	noun := storage.PromptLabel{Prompt: p.ID, Name: label, Shares: shares}
	if err := noun.Check(); err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	for _, s := range shares {
		if s.Version > p.Noun.Latest {
			return huma.Error422UnprocessableEntity(fmt.Sprintf("versions: there is no version %d", s.Version))
		}
	}
	l, err := a.promptLabels().get(ctx, p.Workspace, storage.PromptLabelID(p.ID, label))
	if errors.Is(err, storage.ErrNotFound) {
		l = kept[storage.PromptLabel]{Noun: noun}
		l.Workspace, l.ID = p.Workspace, storage.PromptLabelID(p.ID, label)
		return a.promptLabels().add(ctx, &l, a.Now())
	}
	if err != nil {
		return err
	}
	if err := m.holds(l.Revision); err != nil {
		return err
	}
	l.Noun = noun
	return a.promptLabels().change(ctx, &l, a.Now())
}

type promptLabelRemoval struct {
	PromptLabelName
	Match
}

func (a *api) removePromptLabel(ctx context.Context, in *promptLabelRemoval) (*nothing, error) {
	c := change{action: policy.PromptsWrite, target: "prompt/" + in.Name + "@" + in.Label, workspace: in.Workspace}
	return nil, a.inPrompt(ctx, &in.PromptName, &c, func(ctx context.Context, _ *kept[storage.Prompt]) error {
		l, err := a.promptLabels().get(ctx, in.Workspace, storage.PromptLabelID(in.Name, in.Label))
		if err != nil {
			return err
		}
		if err := in.holds(l.Revision); err != nil {
			return err
		}
		c.before = showPromptLabel(&l)
		return a.promptLabels().remove(ctx, l)
	})
}
