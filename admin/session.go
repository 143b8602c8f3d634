package admin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/storage"
)

func sessionKind() storage.Kind { return storage.Kind{Name: "session"} }

// What the audit log calls what has no permission of its own.
const (
	signIn  = "session.open"
	signOut = "session.close"
)

type credentials struct {
	Body struct {
		Name     string `json:"name" maxLength:"128"`
		Password string `json:"password" maxLength:"256"`
	}
}

// signedIn is the answer to a sign-in: who it is, and the session as a cookie.
type signedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

func (a *api) openSession(ctx context.Context, in *credentials) (*signedIn, error) {
	name := strings.ToLower(in.Body.Name)
	if wait := a.throttle.wait(name, requestOf(ctx).address); wait > 0 {
		return nil, tooMany(wait)
	}
	u, err := a.users.get(ctx, "", name)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	// For who is not known as much work is done as for who is.
	right, err := a.hasher.matches(ctx, u.Noun.Password, in.Body.Password)
	if err != nil {
		return nil, err
	}
	if !right || u.Noun.DisabledAt != nil {
		return nil, a.denySignIn(ctx, name)
	}
	a.throttle.forgive(name)
	return a.beginSession(ctx, u)
}

func tooMany(wait time.Duration) error {
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return huma.ErrorWithHeaders(huma.Error429TooManyRequests("too many attempts; try again in "+seconds+" s"), http.Header{"Retry-After": {seconds}})
}

// denySignIn notes that somebody was not let in. The audit log does not say either whether the
// name is known, and has no name that is none: people type their password there.
func (a *api) denySignIn(ctx context.Context, name string) error {
	e := a.note(ctx, signIn, "")
	e.Outcome, e.Reason = storage.AuditDenied, "the name or the password is wrong, or the user is disabled"
	if known, err := a.users.get(ctx, "", name); err == nil {
		e.Target = "user/" + known.ID
	}
	if err := a.noteDenial(ctx, e); err != nil {
		return err
	}
	return huma.Error401Unauthorized("the name or the password is wrong")
}

// beginSession makes a new session: what a browser held before is never taken up.
func (a *api) beginSession(ctx context.Context, u kept[storage.User]) (*signedIn, error) {
	now := a.Now()
	made, text := storage.NewSession(u.ID, now, a.SessionLasts)
	s := kept[storage.Session]{Noun: made}
	s.ID, s.ExpiresAt = hexOf(made.Hash), &made.ExpiresAt
	ctx = context.WithValue(ctx, callerKey{}, &caller{user: u.ID, via: "session"})
	c := change{action: signIn, target: "user/" + u.ID}
	err := a.apply(ctx, &c, func(ctx context.Context) error {
		u.Noun.SignedInAt = &now
		if err := a.users.change(ctx, &u, now); err != nil {
			return err
		}
		return a.sessions.add(ctx, &s, now)
	})
	if err != nil {
		return nil, err
	}
	return &signedIn{SetCookie: cookieOf(text.Reveal(), made.ExpiresAt), Body: a.showMe(u.Noun.Memberships, u.ID, "session", nil)}, nil
}

func cookieOf(value string, expires time.Time) http.Cookie {
	return http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", Expires: expires,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// signedOut takes the cookie away.
type signedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (a *api) closeSession(ctx context.Context, _ *struct{}) (*signedOut, error) {
	who := callerOf(ctx)
	if who.session == nil {
		return nil, huma.Error409Conflict("an API token has no session to close; revoke the token")
	}
	c := change{action: signOut, target: "user/" + who.user}
	err := a.apply(ctx, &c, func(ctx context.Context) error { return a.sessions.remove(ctx, *who.session) })
	if err != nil && !errors.Is(err, storage.ErrNotFound) && !errors.Is(err, storage.ErrChanged) {
		return nil, err
	}
	return &signedOut{SetCookie: cookieOf("", time.Unix(0, 0))}, nil
}

// closeSessions ends all sessions of a user.
func (a *api) closeSessions(ctx context.Context, user string) error {
	open, err := a.sessions.list(ctx, storage.DocumentQuery{})
	if err != nil {
		return err
	}
	for _, s := range open {
		if s.Noun.User != user {
			continue
		}
		if err := a.sessions.remove(ctx, s); err != nil {
			return fmt.Errorf("sessions of %s: %w", user, err)
		}
	}
	return nil
}
