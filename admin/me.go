package admin

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Me is who asks, and what they may do.
type Me struct {
	User        string       `json:"user,omitempty" doc:"None for the installation's own token"`
	Via         string       `json:"via" doc:"The session or the token that the caller came with"`
	Memberships []Membership `json:"memberships"`
	Scopes      []string     `json:"scopes,omitempty" doc:"Of the token: it may no more than this"`
	Everywhere  []string     `json:"everywhere" doc:"Actions allowed for the installation and in every workspace"`
	Workspaces  []Allowed    `json:"workspaces" doc:"Actions allowed in single workspaces besides"`
}

// Allowed is what somebody may do in a workspace.
type Allowed struct {
	Workspace string   `json:"workspace"`
	Actions   []string `json:"actions"`
}

func (a *api) me(ctx context.Context, _ *struct{}) (*one[Me], error) {
	c := callerOf(ctx)
	return &one[Me]{Body: a.showMe(c.memberships, c.user, c.via, c.scopes)}, nil
}

func (a *api) showMe(memberships []storage.Membership, user, via string, scopes []string) Me {
	me := Me{User: user, Via: via, Scopes: scopes, Memberships: []Membership{}, Everywhere: []string{}, Workspaces: []Allowed{}}
	allowed := func(workspace string) (actions []string) {
		for _, p := range policy.Permissions() {
			if policy.InScopes(scopes, p.Action) && a.permits.Allow(memberships, p.Action, workspace) {
				actions = append(actions, string(p.Action))
			}
		}
		return actions
	}
	me.Everywhere = append(me.Everywhere, allowed(storage.Everywhere)...)
	for _, m := range memberships {
		me.Memberships = append(me.Memberships, Membership(m))
		if m.Workspace != storage.Everywhere {
			me.Workspaces = append(me.Workspaces, Allowed{m.Workspace, allowed(m.Workspace)})
		}
	}
	return me
}

type passwordChange struct {
	Body struct {
		Current string `json:"current" maxLength:"256"`
		New     string `json:"new" minLength:"12" maxLength:"256"`
	}
}

// changePassword ends every other session of the user: whoever holds one may be why.
func (a *api) changePassword(ctx context.Context, in *passwordChange) (*nothing, error) {
	who := callerOf(ctx)
	if who.session == nil {
		return nil, huma.Error409Conflict("a password is changed in a session, not with an API token")
	}
	if a.throttle.wait(who.user, requestOf(ctx).address) > 0 {
		return nil, huma.Error429TooManyRequests("too many attempts; try again in a minute")
	}
	u, err := a.users.get(ctx, "", who.user)
	if err != nil {
		return nil, err
	}
	right, err := a.hasher.matches(ctx, u.Noun.Password, in.Body.Current)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, huma.Error422UnprocessableEntity("current: it is not the password")
	}
	if u.Noun.Password, err = a.newPassword(ctx, &u.Noun, in.Body.New); err != nil {
		return nil, err
	}
	c := change{action: policy.MePassword, target: "user/" + u.ID}
	return nil, a.apply(ctx, &c, func(ctx context.Context) error {
		if err := a.users.change(ctx, &u, a.Now()); err != nil {
			return err
		}
		return a.closeSessions(ctx, u.ID)
	})
}
