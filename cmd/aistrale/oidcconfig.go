package main

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

// OIDCConfig says at which identity provider people sign in to the control plane.
type OIDCConfig struct {
	Issuer       string            `yaml:"issuer"` // "" is none
	ClientID     string            `yaml:"client_id"`
	ClientSecret storage.Secret    `yaml:"client_secret"`
	RedirectURL  string            `yaml:"redirect_url"` // https://HOST/admin/v1/session/oidc/callback
	Scopes       []string          `yaml:"scopes"`
	GroupsClaim  string            `yaml:"groups_claim"`
	Groups       []GroupRoleConfig `yaml:"groups"`
	CreateUsers  bool              `yaml:"create_users"` // at the first sign-in of who has a role
	Domains      []string          `yaml:"domains"`      // of verified e-mail addresses; empty: any
}

// GroupRoleConfig gives the members of a group a role.
type GroupRoleConfig struct {
	Group     string `yaml:"group"`
	Role      string `yaml:"role"`
	Workspace string `yaml:"workspace"` // "*" is everywhere
}

// options gives nil where there is none.
func (c *OIDCConfig) options() *admin.OIDCOptions {
	if c.Issuer == "" {
		return nil
	}
	o := &admin.OIDCOptions{
		Issuer: c.Issuer, ClientID: c.ClientID, Secret: c.ClientSecret, RedirectURL: c.RedirectURL, Scopes: c.Scopes,
		GroupsClaim: c.GroupsClaim, CreateUsers: c.CreateUsers,
	}
	for _, d := range c.Domains {
		o.Domains = append(o.Domains, strings.ToLower(d))
	}
	for _, g := range c.Groups {
		o.Groups = append(o.Groups, admin.GroupRole{Group: g.Group, Membership: storage.Membership{Workspace: g.Workspace, Role: storage.Role(g.Role)}})
	}
	return o
}

// oidc holds the identity provider to be one that can be asked safely.
func (v *validator) oidc(c *OIDCConfig) {
	if c.Issuer == "" {
		return
	}
	v.safeURL("oidc.issuer", c.Issuer)
	v.safeURL("oidc.redirect_url", c.RedirectURL)
	if c.ClientID == "" {
		v.wrong("oidc.client_id", "is missing")
	}
	if !slices.Contains(c.Scopes, "openid") {
		v.wrong("oidc.scopes", "lacks openid, without which there is no ID token")
	}
	for i, g := range c.Groups {
		at := element("oidc.groups", i)
		if g.Group == "" {
			v.wrong(at+".group", "is missing")
		}
		if err := (storage.Membership{Workspace: g.Workspace, Role: storage.Role(g.Role)}).Check(); err != nil {
			v.wrong(at, "%s", err)
		}
	}
}

// safeURL holds an address to be https, or of this machine: secrets go there, or come from there.
func (v *validator) safeURL(path, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		v.wrong(path, "is no URL of a host")
		return
	}
	addr, err := netip.ParseAddr(u.Hostname())
	here := u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !here) {
		v.wrong(path, "is not https, which only an address of this machine need not be")
	}
}
