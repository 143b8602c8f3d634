package admin

import (
	"context"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Prompt is a prompt as the API shows one. What it says stands in its versions.
type Prompt struct {
	Name        string                           `json:"name"`
	Description string                           `json:"description,omitempty"`
	Latest      int                              `json:"latest" doc:"The number of the newest version; 0: there is none yet"`
	Labels      map[string][]storage.PromptShare `json:"labels" doc:"What each label stands for"`
	CreatedAt   time.Time                        `json:"created_at"`
	UpdatedAt   time.Time                        `json:"updated_at"`
}

// PromptName names a prompt of a workspace.
type PromptName struct {
	InWorkspace
	Name string `path:"name" maxLength:"64"`
}

func (a *api) prompts() shelf[storage.Prompt] {
	return shelf[storage.Prompt]{a.Store, storage.PromptKind()}
}

func showPrompt(p *kept[storage.Prompt], labels []kept[storage.PromptLabel]) Prompt {
	shown := Prompt{
		Name: p.Noun.Name, Description: p.Noun.Description, Latest: p.Noun.Latest, Labels: map[string][]storage.PromptShare{},
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
	for i := range labels {
		if l := &labels[i].Noun; l.Prompt == p.Noun.Name {
			shown.Labels[l.Name] = l.Shares
		}
	}
	return shown
}

type promptList struct {
	InWorkspace
	Page
}

func (a *api) listPrompts(ctx context.Context, in *promptList) (*listed[Prompt], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := a.prompts().list(ctx, storage.DocumentQuery{Workspace: in.Workspace, After: after, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	labels, err := a.promptLabels().list(ctx, storage.DocumentQuery{Workspace: in.Workspace})
	if err != nil {
		return nil, err
	}
	show := func(p kept[storage.Prompt]) Prompt { return showPrompt(&p, labels) }
	return listOf(in.Page, found, func(p kept[storage.Prompt]) string { return p.ID }, show), nil
}

// onePrompt is the answer with a prompt as it is now.
func (a *api) onePrompt(ctx context.Context, p *kept[storage.Prompt]) (*one[Prompt], error) {
	labels, err := a.labelsOf(ctx, p.Workspace, p.ID)
	return &one[Prompt]{ETag: etag(p.Revision), Body: showPrompt(p, labels)}, err
}

func (a *api) getPrompt(ctx context.Context, in *PromptName) (*one[Prompt], error) {
	p, err := a.prompts().get(ctx, in.Workspace, in.Name)
	if err != nil {
		return nil, err
	}
	return a.onePrompt(ctx, &p)
}

type newPrompt struct {
	InWorkspace
	Body struct {
		Name        string `json:"name" maxLength:"64"`
		Description string `json:"description,omitempty" maxLength:"1024"`
	}
}

func (a *api) createPrompt(ctx context.Context, in *newPrompt) (*one[Prompt], error) {
	p := kept[storage.Prompt]{Noun: storage.Prompt{Name: in.Body.Name, Description: in.Body.Description}}
	if err := storage.CheckPromptName(p.Noun.Name); err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	p.ID, p.Workspace = p.Noun.Name, in.Workspace
	c := change{action: policy.PromptsWrite, target: "prompt/" + p.ID, workspace: p.Workspace}
	err := a.apply(ctx, &c, func(ctx context.Context) error {
		if err := a.prompts().add(ctx, &p, a.Now()); err != nil {
			return err
		}
		c.after = showPrompt(&p, nil)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.onePrompt(ctx, &p)
}

type promptChange struct {
	PromptName
	Match
	Body struct {
		Description string `json:"description" maxLength:"1024"`
	}
}

func (a *api) changePrompt(ctx context.Context, in *promptChange) (*one[Prompt], error) {
	p, err := a.prompts().get(ctx, in.Workspace, in.Name)
	if err != nil {
		return nil, err
	}
	if err := in.holds(p.Revision); err != nil {
		return nil, err
	}
	before, err := a.onePrompt(ctx, &p)
	if err != nil {
		return nil, err
	}
	after := before.Body
	after.Description = in.Body.Description
	p.Noun.Description = in.Body.Description
	c := change{action: policy.PromptsWrite, target: "prompt/" + p.ID, workspace: p.Workspace, before: before.Body, after: after}
	if err := a.apply(ctx, &c, func(ctx context.Context) error { return a.prompts().change(ctx, &p, a.Now()) }); err != nil {
		return nil, err
	}
	return a.onePrompt(ctx, &p)
}

type promptRemoval struct {
	PromptName
	Match
}

// removePrompt removes a prompt with all its versions and labels.
func (a *api) removePrompt(ctx context.Context, in *promptRemoval) (*nothing, error) {
	p, err := a.prompts().get(ctx, in.Workspace, in.Name)
	if err != nil {
		return nil, err
	}
	if err := in.holds(p.Revision); err != nil {
		return nil, err
	}
	before, err := a.onePrompt(ctx, &p)
	if err != nil {
		return nil, err
	}
	c := change{action: policy.PromptsWrite, target: "prompt/" + p.ID, workspace: p.Workspace, before: before.Body}
	return nil, a.apply(ctx, &c, func(ctx context.Context) error {
		if err := a.prompts().remove(ctx, p); err != nil {
			return err
		}
		for _, kind := range []storage.Kind{storage.PromptVersionKind(), storage.PromptLabelKind()} {
			found, err := a.Store.Documents(ctx, storage.DocumentQuery{Kind: kind, Workspace: p.Workspace, Prefix: p.ID + "/"})
			if err != nil {
				return err
			}
			for _, d := range found {
				if err := a.Store.RemoveDocument(ctx, d); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// promptTries is how often a change of a prompt is begun anew because another one came first.
const promptTries = 20

// inPrompt makes a change of something within a prompt, in one transaction with a change of the
// prompt itself: so two such changes follow each other, and a removal of the prompt leaves nothing.
func (a *api) inPrompt(ctx context.Context, in *PromptName, c *change, do func(ctx context.Context, p *kept[storage.Prompt]) error) error {
	var err error
	for range promptTries {
		err = a.apply(ctx, c, func(ctx context.Context) error {
			p, err := a.prompts().get(ctx, in.Workspace, in.Name)
			if err != nil {
				return err
			}
			if err := do(ctx, &p); err != nil {
				return err
			}
			if err := a.prompts().change(ctx, &p, a.Now()); errors.Is(err, storage.ErrChanged) {
				return errors.Join(errOvertaken, err)
			} else if err != nil {
				return err
			}
			return nil
		})
		if !errors.Is(err, errOvertaken) {
			return err
		}
	}
	return err
}

// errOvertaken says that the prompt was changed while a change of it was made.
var errOvertaken = errors.New("another change of the prompt came first")
