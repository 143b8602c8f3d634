package admin

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// sessionCookie holds a session. The prefix makes browsers refuse it from anyone but this host,
// and over anything but TLS (or loopback).
const sessionCookie = "__Host-aistrale"

// caller is who asks.
type caller struct {
	user        string // "" is the installation's own token
	via         string // "token/<id>", "session", "local/<name>"
	memberships []storage.Membership
	scopes      []string // of the token; none where it has all that its owner has
	session     *kept[storage.Session]
}

// actor names the caller in the audit log.
func (c *caller) actor() string {
	switch {
	case c.user != "":
		return "user/" + c.user
	case c.via != "":
		return c.via
	}
	return "anonymous"
}

// local reports whether the caller has the store itself at hand.
func (c *caller) local() bool { return strings.HasPrefix(c.via, "local/") }

type callerKey struct{}

// callerOf gives who asks; nobody in particular outside of routes that want somebody.
func callerOf(ctx context.Context) *caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return c
	}
	return &caller{}
}

func everything() []storage.Membership {
	return []storage.Membership{{Workspace: storage.Everywhere, Role: storage.RoleAdmin}}
}

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }

// may reports whether who asks may do something in a workspace.
func (a *api) may(ctx context.Context, action policy.Action, workspace string) bool {
	c := callerOf(ctx)
	return policy.InScopes(c.scopes, action) && a.permits.Allow(c.memberships, action, workspace)
}

// admit lets through who may do what a route does, in the workspace that the request names.
func (a *api) admit(to huma.API, action policy.Action) func(huma.Context, func(huma.Context)) {
	return func(h huma.Context, next func(huma.Context)) {
		if action == "" {
			next(h)
			return
		}
		ctx := h.Context()
		r, _ := humago.Unwrap(h)
		who, err := a.authenticate(ctx, r)
		if err != nil {
			a.refuse(to, h, err)
			return
		}
		ctx = context.WithValue(ctx, callerKey{}, who)
		workspace := a.workspaceOf(h, action)
		if !a.may(ctx, action, workspace) {
			a.refuse(to, h, a.deny(ctx, action, workspace))
			return
		}
		next(huma.WithContext(h, ctx))
	}
}

// workspaceOf gives the workspace that a request is about, "" where the action is none's.
func (a *api) workspaceOf(h huma.Context, action policy.Action) string {
	if a.permits.Permission(action).Extent != policy.InWorkspace {
		return ""
	}
	return cmp.Or(h.Param("workspace"), h.Query("workspace"), storage.DefaultWorkspace)
}

// deny notes that somebody was kept from something, and gives the problem.
func (a *api) deny(ctx context.Context, action policy.Action, workspace string) error {
	e := a.note(ctx, action, workspace)
	e.Outcome, e.Reason = storage.AuditDenied, "no role of the caller's allows it"
	if !policy.InScopes(callerOf(ctx).scopes, action) {
		e.Reason = "the token's scopes leave it out"
	}
	e.Target = requestOf(ctx).path
	if err := a.noteDenial(ctx, e); err != nil {
		return err
	}
	text := "you may not do this (" + string(action) + ")"
	if workspace != "" {
		text += " in workspace " + workspace
	}
	return huma.Error403Forbidden(text + ": " + e.Reason)
}

// refuse answers with an error's problem.
func (a *api) refuse(to huma.API, h huma.Context, err error) {
	var said *huma.ErrorModel
	if !errors.As(a.problem(h.Context(), err), &said) {
		said = &huma.ErrorModel{Status: http.StatusInternalServerError}
	}
	if said.Status == http.StatusUnauthorized {
		h.SetHeader("www-authenticate", "Bearer")
	}
	_ = huma.WriteErr(to, h, said.Status, said.Detail) // a client that has left needs no answer
}

// authenticate finds who asks: by a bearer, else by a session's cookie.
func (a *api) authenticate(ctx context.Context, r *http.Request) (*caller, error) {
	if local, ok := ctx.Value(localKey{}).(*caller); ok {
		return local, nil
	}
	if text, ok := strings.CutPrefix(r.Header.Get("authorization"), "Bearer "); ok {
		return a.byToken(ctx, text)
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		return a.bySession(ctx, cookie.Value)
	}
	return nil, huma.Error401Unauthorized("an API token is needed (authorization: Bearer ais-admin-…), or a session (POST " + prefix + "/session)")
}

// Of tokens and sessions that are refused nobody is told why: it would say which ones exist.
func notSignedIn() error {
	return huma.Error401Unauthorized("the token or the session is not known, or not valid any more")
}

func (a *api) byToken(ctx context.Context, text string) (*caller, error) {
	id, ok := storage.ParseAdminToken(text)
	if !ok {
		return nil, notSignedIn()
	}
	t, err := a.Store.AdminToken(ctx, id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, notSignedIn()
	case err != nil:
		return nil, err
	case !t.Matches([]byte(text)) || t.Valid(a.Now()) != nil:
		return nil, notSignedIn()
	}
	c := &caller{user: t.Owner, via: "token/" + t.ID, scopes: t.Scopes}
	if t.Owner == "" {
		c.memberships = everything()
		return c, nil
	}
	c.memberships, err = a.membershipsOf(ctx, t.Owner)
	return c, err
}

// membershipsOf gives what a user is, if the user may still come in.
func (a *api) membershipsOf(ctx context.Context, name string) ([]storage.Membership, error) {
	u, err := a.users.get(ctx, "", name)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, notSignedIn()
	case err != nil:
		return nil, err
	case u.Noun.DisabledAt != nil:
		return nil, notSignedIn()
	}
	return u.Noun.Memberships, nil
}

// seenEvery is how exactly it is known when a session was last used.
const seenEvery = time.Minute

func (a *api) bySession(ctx context.Context, value string) (*caller, error) {
	s, err := a.sessions.get(ctx, "", hexOf(storage.SessionHash(value)))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, notSignedIn()
	}
	if err != nil {
		return nil, err
	}
	now := a.Now()
	if !now.Before(s.Noun.ExpiresAt) || now.Sub(s.Noun.SeenAt) > a.SessionIdle {
		return nil, notSignedIn()
	}
	c := &caller{user: s.Noun.User, via: "session", session: &s}
	if c.memberships, err = a.membershipsOf(ctx, s.Noun.User); err != nil {
		return nil, err
	}
	if now.Sub(s.Noun.SeenAt) < seenEvery {
		return c, nil
	}
	s.Noun.SeenAt = now
	// Two requests at once want to say the same; one of them is enough. A session that is closed at
	// this moment stays closed.
	if err := a.sessions.change(ctx, &s, now); err != nil && !errors.Is(err, storage.ErrChanged) {
		return nil, err
	}
	return c, nil
}
