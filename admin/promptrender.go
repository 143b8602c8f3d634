package admin

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/providers"
)

type promptRendering struct {
	PromptName
	Body struct {
		Version   string          `json:"version,omitempty" maxLength:"64" doc:"A label, a number or latest; none: production, else the newest"`
		Variables json.RawMessage `json:"variables,omitempty" doc:"An object"`
		User      string          `json:"user,omitempty" maxLength:"256" doc:"Whose version it shall be where the label splits"`
	}
}

// RenderedPrompt is a prompt with its variables filled in.
type RenderedPrompt struct {
	Prompt  string          `json:"prompt" doc:"With its version: greeting@3"`
	Request json.RawMessage `json:"request" doc:"An object: the body of a chat completion"`
}

type renderedPrompt struct{ Body RenderedPrompt }

// renderPrompt shows what a call would say, and calls nobody.
func (a *api) renderPrompt(ctx context.Context, in *promptRendering) (*renderedPrompt, error) {
	p, err := a.prompts().get(ctx, in.Workspace, in.Name)
	if err != nil {
		return nil, err
	}
	labels, err := a.labelsOf(ctx, in.Workspace, in.Name)
	if err != nil {
		return nil, err
	}
	chosen := &prompt.Prompt{Workspace: in.Workspace, Name: in.Name, Latest: p.Noun.Latest, Labels: showPrompt(&p, labels).Labels}
	number, err := chosen.Number(in.Body.Version, policy.HashParts(in.Body.User))
	if err != nil {
		return nil, refusedPrompt(err)
	}
	v, err := a.promptVersion(ctx, in.Workspace, in.Name, number)
	if err != nil {
		return nil, err
	}
	made := prompt.Version{Name: in.Name + "@" + strconv.Itoa(number)}
	if made.Template, err = prompt.Compile(&v.Noun.Template); err != nil {
		return nil, err
	}
	messages, err := made.Render(in.Body.Variables, "variables")
	if err != nil {
		return nil, refusedPrompt(err)
	}
	return &renderedPrompt{RenderedPrompt{made.Name, made.Chat(messages)}}, nil
}

// refusedPrompt says in the API's words what the data plane would tell a client.
func refusedPrompt(err error) error {
	var fault *providers.Fault
	switch {
	case !errors.As(err, &fault):
		return err
	case fault.Kind == providers.FaultNoModel:
		return huma.Error404NotFound(fault.Message)
	}
	return huma.Error400BadRequest(fault.Message, &huma.ErrorDetail{Location: "body." + fault.Param, Message: fault.Message})
}
