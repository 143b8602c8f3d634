package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Token is an API token as the API shows one. Its text is shown once, when it is made.
type Token struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Owner     string     `json:"owner,omitempty" doc:"None where it is the installation's own"`
	Scopes    []string   `json:"scopes" doc:"Actions it may be used for; none: all that its owner may do"`
	Token     string     `json:"token,omitempty" doc:"Its text, when it is made and never again"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

func showToken(t storage.AdminToken) Token {
	scopes := t.Scopes
	if scopes == nil {
		scopes = []string{}
	}
	return Token{
		ID: t.ID, Name: t.Name, Owner: t.Owner, Scopes: scopes,
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt,
	}
}

func (a *api) listTokens(ctx context.Context, in *Page) (*listed[Token], error) {
	return a.tokens(ctx, in, func(*storage.AdminToken) bool { return true })
}

func (a *api) listMyTokens(ctx context.Context, in *Page) (*listed[Token], error) {
	who := callerOf(ctx)
	return a.tokens(ctx, in, func(t *storage.AdminToken) bool { return t.Owner == who.user })
}

// tokens gives a page of those that are wanted, in the order of their ids.
func (a *api) tokens(ctx context.Context, in *Page, wanted func(*storage.AdminToken) bool) (*listed[Token], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	all, err := a.Store.AdminTokens(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t storage.AdminToken) bool { return t.ID <= after || !wanted(&t) })
	slices.SortFunc(all, func(x, y storage.AdminToken) int { return strings.Compare(x.ID, y.ID) })
	return listOf(*in, all, func(t storage.AdminToken) string { return t.ID }, showToken), nil
}

type newToken struct {
	Body struct {
		Name      string     `json:"name" maxLength:"128"`
		Scopes    []string   `json:"scopes,omitempty" maxItems:"64" doc:"Actions: keys.read, prompts.*"`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"None: it stays valid until it is revoked"`
	}
}

func (a *api) createToken(ctx context.Context, in *newToken) (*one[Token], error) {
	who := callerOf(ctx)
	switch {
	case who.user == "":
		return nil, huma.Error409Conflict("the installation's own token belongs to no user; make a user and sign in")
	case len(who.scopes) > 0:
		return nil, huma.Error403Forbidden("a token with scopes makes no other token: it could make one with more")
	case in.Body.ExpiresAt != nil && !in.Body.ExpiresAt.After(a.Now()):
		return nil, huma.Error422UnprocessableEntity("expires_at: it is in the past")
	}
	t, text := storage.NewAdminToken(in.Body.Name, a.Now())
	t.Owner, t.Scopes = who.user, in.Body.Scopes
	if in.Body.ExpiresAt != nil {
		at := in.Body.ExpiresAt.UTC().Truncate(time.Microsecond)
		t.ExpiresAt = &at
	}
	if err := checkToken(&t); err != nil {
		return nil, err
	}
	c := change{action: policy.TokensOwn, target: "token/" + t.ID, after: showToken(t)}
	err := a.apply(ctx, &c, func(ctx context.Context) error { return a.Store.AddAdminToken(ctx, t) })
	if err != nil {
		return nil, err
	}
	out := &one[Token]{Body: showToken(t)}
	out.Body.Token = text.Reveal()
	return out, nil
}

// checkToken says what is wrong with what was asked for: a scope that leaves nothing in is a typing error.
func checkToken(t *storage.AdminToken) error {
	for _, scope := range t.Scopes {
		means := slices.ContainsFunc(policy.Permissions(), func(p policy.Permission) bool { return policy.InScopes([]string{scope}, p.Action) })
		if !means {
			return huma.Error422UnprocessableEntity("scopes: " + scope + " names no action; GET " + prefix + "/me lists them")
		}
	}
	if err := t.Check(); err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return nil
}

// tokenID names a token in a path.
type tokenID struct {
	ID string `path:"id" maxLength:"8"`
}

func (a *api) revokeMyToken(ctx context.Context, in *tokenID) (*nothing, error) {
	who := callerOf(ctx)
	t, err := a.Store.AdminToken(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if t.Owner != who.user {
		return nil, storage.ErrNotFound
	}
	return nil, a.endToken(ctx, policy.TokensOwn, in.ID)
}

func (a *api) revokeToken(ctx context.Context, in *tokenID) (*nothing, error) {
	return nil, a.endToken(ctx, policy.TokensWrite, in.ID)
}

func (a *api) endToken(ctx context.Context, action policy.Action, id string) error {
	c := change{action: action, target: "token/" + id}
	return a.apply(ctx, &c, func(ctx context.Context) error {
		t, err := a.Store.RevokeAdminToken(ctx, id, a.Now())
		c.after = showToken(t)
		return err
	})
}

// revokeTokens ends all tokens of a user.
func (a *api) revokeTokens(ctx context.Context, user string) error {
	all, err := a.Store.AdminTokens(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Owner != user || t.RevokedAt != nil {
			continue
		}
		if _, err := a.Store.RevokeAdminToken(ctx, t.ID, a.Now()); err != nil {
			return err
		}
	}
	return nil
}
