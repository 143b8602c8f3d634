package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/storage"
)

// PromptVersion is one state of a prompt as the API shows it. It never changes.
type PromptVersion struct {
	Prompt string `json:"prompt"`
	Number int    `json:"version"`
	Note   string `json:"note,omitempty"`
	Author string `json:"author" doc:"Who made it"`
	storage.PromptTemplate
	CreatedAt time.Time `json:"created_at"`
}

func (a *api) promptVersions() shelf[storage.PromptVersion] {
	return shelf[storage.PromptVersion]{a.Store, storage.PromptVersionKind()}
}

func showPromptVersion(v kept[storage.PromptVersion]) PromptVersion {
	n := &v.Noun
	return PromptVersion{Prompt: n.Prompt, Number: n.Number, Note: n.Note, Author: n.Author, PromptTemplate: n.Template, CreatedAt: v.CreatedAt}
}

type promptVersionList struct {
	PromptName
	Page
}

func (a *api) listPromptVersions(ctx context.Context, in *promptVersionList) (*listed[PromptVersion], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	if _, err := a.prompts().get(ctx, in.Workspace, in.Name); err != nil {
		return nil, err
	}
	found, err := a.promptVersions().list(ctx, storage.DocumentQuery{Workspace: in.Workspace, Prefix: in.Name + "/", After: after, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return listOf(in.Page, found, func(v kept[storage.PromptVersion]) string { return v.ID }, showPromptVersion), nil
}

type promptVersionNumber struct {
	PromptName
	Number int `path:"version" minimum:"1" maximum:"999999999"`
}

func (a *api) promptVersion(ctx context.Context, workspace, name string, number int) (kept[storage.PromptVersion], error) {
	return a.promptVersions().get(ctx, workspace, storage.PromptVersionID(name, number))
}

func (a *api) getPromptVersion(ctx context.Context, in *promptVersionNumber) (*one[PromptVersion], error) {
	v, err := a.promptVersion(ctx, in.Workspace, in.Name, in.Number)
	if err != nil {
		return nil, err
	}
	return &one[PromptVersion]{ETag: etag(v.Revision), Body: showPromptVersion(v)}, nil
}

type newPromptVersion struct {
	PromptName
	Body struct {
		Note string `json:"note,omitempty" maxLength:"1024" doc:"What is new"`
		storage.PromptTemplate
		Labels []string `json:"labels,omitempty" maxItems:"16" doc:"That shall stand for it"`
	}
}

// createPromptVersion gives the next number to what was sent.
func (a *api) createPromptVersion(ctx context.Context, in *newPromptVersion) (*one[PromptVersion], error) {
	if _, err := prompt.Compile(&in.Body.PromptTemplate); err != nil {
		return nil, notATemplate(err)
	}
	c := change{action: policy.PromptsWrite, workspace: in.Workspace}
	var made kept[storage.PromptVersion]
	err := a.inPrompt(ctx, &in.PromptName, &c, func(ctx context.Context, p *kept[storage.Prompt]) error {
		p.Noun.Latest++
		made = kept[storage.PromptVersion]{Noun: storage.PromptVersion{
			Prompt: p.ID, Number: p.Noun.Latest, Note: in.Body.Note, Author: callerOf(ctx).actor(), Template: in.Body.PromptTemplate,
		}}
		made.Workspace, made.ID = in.Workspace, storage.PromptVersionID(p.ID, p.Noun.Latest)
		if err := a.promptVersions().add(ctx, &made, a.Now()); err != nil {
			return err
		}
		c.target, c.after = fmt.Sprintf("prompt/%s@%d", p.ID, p.Noun.Latest), showPromptVersion(made)
		for _, label := range in.Body.Labels {
			if err := a.putLabel(ctx, p, label, Match{"*"}, []storage.PromptShare{{Version: p.Noun.Latest, Weight: 1}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &one[PromptVersion]{ETag: etag(made.Revision), Body: showPromptVersion(made)}, nil
}

// notATemplate says what is wrong with a template, and where.
func notATemplate(err error) error {
	var mistake *prompt.Mistake
	if !errors.As(err, &mistake) {
		return err
	}
	return huma.Error422UnprocessableEntity("the template cannot be used", &huma.ErrorDetail{Location: "body." + mistake.At, Message: mistake.Text})
}
