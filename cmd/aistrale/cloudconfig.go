package main

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/internal/accesstoken"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// placeName is what may stand in the path or the host of an address.
var placeName = regexp.MustCompile(`^[a-z0-9][a-z0-9:._-]*$`)

// kind holds a provider under a name of its own to be of a kind that is known. Names that stand for
// a known provider keep meaning it: clients and price lists use them.
func (v *validator) kind(p *ProviderConfig, at string) {
	_, known := catalog.Known(p.kind())
	switch _, taken := catalog.Known(p.Name); {
	case p.Kind != "" && !known:
		v.wrong(at+".kind", "%q is no known provider%s", p.Kind, hint(p.Kind, catalog.Names()))
	case p.Kind != "" && p.Kind != p.Name && (taken || p.Name == mockName):
		v.wrong(at+".kind", "%s is itself a known provider; an account of %s needs another name", p.Name, p.Kind)
	case len(p.Deployments) > 0 && !known:
		v.wrong(at+".deployments", "name models of a known provider; say which by kind")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Deployments)) {
		if model := p.Deployments[name]; !isModel(name) || !isModel(model) {
			v.wrong(member(at+".deployments", name), "%q is no model's name", model)
		}
	}
}

// settings holds what says where the account of a known provider stands.
func (v *validator) settings(p *ProviderConfig, at string) {
	said, kind := p.settings(), p.kind()
	for _, name := range catalog.Missing(kind, said) {
		v.wrong(at+"."+name, "is missing: %s cannot be called without it", kind)
	}
	for _, name := range catalog.Idle(kind, said) {
		v.wrong(at+"."+name, "says nothing to %s", kind)
	}
	for _, s := range []struct{ name, text string }{{"project", p.Project}, {"location", p.Location}, {"api_version", p.APIVersion}} {
		if s.text != "" && !placeName.MatchString(s.text) {
			v.wrong(at+"."+s.name, "%q has characters that are none of a name's", s.text)
		}
	}
	v.minted(p, at)
	if u, err := url.Parse(p.BaseURL); err == nil && strings.Trim(u.Path, "/") != "" && catalog.Rooted(kind) {
		v.wrong(at+".base_url", "is the address alone, without a path: %s has several beneath it", kind)
	}
}

// minted holds a credential that tokens are minted with to be one, and them to be minted by whom
// the operator trusts: everything that is signed with the key, or the secret itself, goes there.
func (v *validator) minted(p *ProviderConfig, at string) {
	known, _ := catalog.Known(p.kind())
	if p.TokenURL != "" {
		v.baseURL(at+".token_url", p.TokenURL)
		if known.Minted == "" {
			v.wrong(at+".token_url", "says nothing to %s", p.kind())
		}
	}
	if known.Minted == "" {
		return
	}
	check := func(path string, secret storage.Secret) {
		if accesstoken.Is(secret) {
			if err := accesstoken.Check(known.Minted, secret, p.TokenURL); err != nil {
				v.wrong(path, "%s", err)
			}
		}
	}
	check(at+".api_key", p.APIKey)
	for i := range p.APIKeys {
		check(element(at+".api_keys", i)+".key", p.APIKeys[i].Key)
	}
}
