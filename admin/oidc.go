package admin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/oauth2"

	"github.com/aistrale/aistrale/storage"
)

// OIDCOptions say which identity provider people sign in at, and what they are then.
type OIDCOptions struct {
	Issuer   string
	ClientID string
	Secret   storage.Secret
	// RedirectURL is the address of this API's /session/oidc/callback, as browsers reach it.
	RedirectURL string
	Scopes      []string
	GroupsClaim string
	Groups      []GroupRole
	// CreateUsers makes who signs in for the first time a user, where a group gives a role.
	CreateUsers bool
	Domains     []string // of verified e-mail addresses; none: any, also none
}

// GroupRole is what a group of the identity provider's makes of its members.
type GroupRole struct {
	Group string
	storage.Membership
}

// oidcTimeout bounds each call to the identity provider.
const oidcTimeout = 10 * time.Second

// identityProvider is one that is asked when somebody first signs in, so that the gateway starts
// without it.
type identityProvider struct {
	OIDCOptions
	http *http.Client

	mu    sync.Mutex
	known *oidc.Provider
}

func newIdentityProvider(o *OIDCOptions) *identityProvider {
	if o == nil {
		return nil
	}
	return &identityProvider{OIDCOptions: *o, http: &http.Client{Timeout: oidcTimeout}}
}

// provider gives what the identity provider says of itself.
func (p *identityProvider) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	known, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.http), p.Issuer)
	if err == nil {
		p.known = known
	}
	return known, err
}

func (p *identityProvider) client(provider *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.Secret.Reveal(), Endpoint: provider.Endpoint(), RedirectURL: p.RedirectURL, Scopes: p.Scopes,
	}
}

// attempt is a sign-in under way, which only the browser that began it can end.
type attempt struct{ state, nonce, verifier string }

func (t attempt) String() string { return t.state + "." + t.nonce + "." + t.verifier }

func attemptOf(cookie string) (t attempt, ok bool) {
	parts := strings.Split(cookie, ".")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return t, false
	}
	return attempt{parts[0], parts[1], parts[2]}, true
}

// claims are what an ID token says of somebody.
type claims struct {
	subject string // with its issuer: an e-mail address may be given to another one day
	email   string // "" where nobody has verified it
	groups  []string
}

// errIdentity is wrapped where the provider's word is not good; who asks is told no more.
var errIdentity = errors.New("the identity provider's answer is not good")

// redeem gives what the provider says of who comes with a code.
func (p *identityProvider) redeem(ctx context.Context, code string, t attempt, now func() time.Time) (*claims, error) {
	provider, err := p.provider(ctx)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, p.http)
	token, err := p.client(provider).Exchange(ctx, code, oauth2.VerifierOption(t.verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError:
		return nil, fmt.Errorf("%w: the code is refused: %s", errIdentity, refused.ErrorCode)
	case err != nil:
		return nil, err
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, fmt.Errorf("%w: there is no ID token", errIdentity)
	}
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, Now: now}).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errIdentity, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(t.nonce)) != 1 {
		return nil, fmt.Errorf("%w: the nonce is another one", errIdentity)
	}
	return p.claimsOf(id)
}

func (p *identityProvider) claimsOf(id *oidc.IDToken) (*claims, error) {
	var said struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	var all map[string]any
	if err := errors.Join(id.Claims(&said), id.Claims(&all)); err != nil {
		return nil, fmt.Errorf("%w: %w", errIdentity, err)
	}
	c := &claims{subject: id.Issuer + "|" + id.Subject}
	if said.Verified {
		c.email = strings.ToLower(said.Email)
	}
	switch groups := all[p.GroupsClaim].(type) {
	case []any:
		for _, g := range groups {
			if name, ok := g.(string); ok {
				c.groups = append(c.groups, name)
			}
		}
	case string:
		c.groups = []string{groups}
	}
	return c, nil
}

// admits reports whether an e-mail address is of a domain that may sign in.
func (p *identityProvider) admits(email string) bool {
	_, domain, _ := strings.Cut(email, "@")
	return len(p.Domains) == 0 || slices.Contains(p.Domains, domain)
}

// memberships gives what groups make of somebody: in each workspace the role that may most, in the
// order in which users have them.
func (p *identityProvider) memberships(groups []string) []storage.Membership {
	best := map[string]storage.Role{}
	for _, g := range p.Groups {
		if !slices.Contains(groups, g.Group) {
			continue
		}
		have, ok := best[g.Workspace]
		if !ok || slices.Index(storage.Roles(), g.Role) < slices.Index(storage.Roles(), have) {
			best[g.Workspace] = g.Role
		}
	}
	return inOrder(best)
}

// oidcCookie holds an attempt. It is sent along where the provider sends the browser back, which a
// stricter one would not be.
const oidcCookie = "__Host-aistrale-oidc"

const attemptLasts = 10 * time.Minute

func attemptCookie(value string, age time.Duration) http.Cookie {
	c := http.Cookie{Name: oidcCookie, Value: value, Path: "/", MaxAge: int(age.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode} //nolint:gosec // a stricter one would not come back
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

type sentAway struct {
	Location  string      `header:"Location"`
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (a *api) configuredOIDC() error {
	if a.oidc == nil {
		return huma.Error404NotFound("no identity provider is configured (oidc)")
	}
	return nil
}

// beginOIDC sends a browser to the identity provider.
func (a *api) beginOIDC(ctx context.Context, _ *struct{}) (*sentAway, error) {
	if err := a.configuredOIDC(); err != nil {
		return nil, err
	}
	provider, err := a.oidc.provider(ctx)
	if err != nil {
		return nil, a.providerDown(ctx, err)
	}
	t := attempt{state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
	at := a.oidc.client(provider).AuthCodeURL(t.state, oidc.Nonce(t.nonce), oauth2.S256ChallengeOption(t.verifier))
	return &sentAway{Location: at, SetCookie: attemptCookie(t.String(), attemptLasts)}, nil
}

func (a *api) providerDown(ctx context.Context, err error) error {
	a.Log.Warn("oidc: the identity provider cannot be asked", "request_id", requestOf(ctx).id, "error", err.Error())
	return huma.Error503ServiceUnavailable("the identity provider cannot be reached; try again in a moment")
}

type sentBack struct {
	Cookie http.Cookie `cookie:"__Host-aistrale-oidc"`
	Code   string      `query:"code" maxLength:"4096"`
	State  string      `query:"state" maxLength:"256"`
	Issuer string      `query:"iss" maxLength:"1024" doc:"Of RFC 9207"`
	Error  string      `query:"error" maxLength:"256"`
}

// comeBack is signedIn that takes the attempt away too. The answer is no redirect: nobody can say
// where it would lead.
type comeBack struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      Me
}

// endOIDC signs in who comes back from the identity provider, in a new session.
func (a *api) endOIDC(ctx context.Context, in *sentBack) (*comeBack, error) {
	if err := a.configuredOIDC(); err != nil {
		return nil, err
	}
	t, ok := attemptOf(in.Cookie.Value)
	if !ok || subtle.ConstantTimeCompare([]byte(in.State), []byte(t.state)) != 1 || in.Issuer != "" && in.Issuer != a.oidc.Issuer {
		return nil, a.denyOIDC(ctx, "", "this browser did not begin it, or it took too long")
	}
	if in.Error != "" || in.Code == "" {
		return nil, a.denyOIDC(ctx, "", "the identity provider refused")
	}
	who, err := a.oidc.redeem(ctx, in.Code, t, a.Now)
	switch {
	case errors.Is(err, errIdentity):
		a.Log.Warn("oidc: a sign-in is refused", "request_id", requestOf(ctx).id, "error", err.Error())
		return nil, a.denyOIDC(ctx, "", "the identity provider's answer is not good")
	case err != nil:
		return nil, a.providerDown(ctx, err)
	}
	u, err := a.identified(ctx, who)
	if err != nil {
		return nil, err
	}
	signed, err := a.beginSession(ctx, u)
	if err != nil {
		return nil, err
	}
	return &comeBack{SetCookie: []http.Cookie{signed.SetCookie, attemptCookie("", 0)}, Body: signed.Body}, nil
}

// denyOIDC notes that somebody was not let in; target is "" where nobody is known. Of those no more
// are noted than may try: anybody can come here, and would fill the audit log.
func (a *api) denyOIDC(ctx context.Context, target, why string) error {
	if target == "" {
		if wait := a.throttle.waitOfStranger(requestOf(ctx).address); wait > 0 {
			return tooMany(wait)
		}
	}
	e := a.note(ctx, signIn, "")
	e.Via, e.Target, e.Outcome, e.Reason = "oidc", target, storage.AuditDenied, why
	if err := a.noteDenial(ctx, e); err != nil {
		return err
	}
	return huma.Error403Forbidden("signing in failed: " + why)
}
