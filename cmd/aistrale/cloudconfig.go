package main

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/aistrale/aistrale/internal/serviceaccount"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// placeName is what may stand in the path or the host of an address.
var placeName = regexp.MustCompile(`^[a-z0-9][a-z0-9:._-]*$`)

// settings holds what says where the account of a known provider stands.
func (v *validator) settings(p *ProviderConfig, at string) {
	said := p.settings()
	for _, name := range catalog.Missing(p.Name, said) {
		v.wrong(at+"."+name, "is missing: %s cannot be called without it", p.Name)
	}
	for _, name := range catalog.Idle(p.Name, said) {
		v.wrong(at+"."+name, "says nothing to %s", p.Name)
	}
	for _, s := range []struct{ name, text string }{{"project", p.Project}, {"location", p.Location}, {"api_version", p.APIVersion}} {
		if s.text != "" && !placeName.MatchString(s.text) {
			v.wrong(at+"."+s.name, "%q has characters that are none of a name's", s.text)
		}
	}
	v.minted(p, at)
	if u, err := url.Parse(p.BaseURL); err == nil && strings.Trim(u.Path, "/") != "" && catalog.Rooted(p.Name) {
		v.wrong(at+".base_url", "is the address alone, without a path: %s has several beneath it", p.Name)
	}
}

// minted holds a service account's key to be one, and its tokens to be minted by whom the
// operator trusts: everything that is signed with the key goes there.
func (v *validator) minted(p *ProviderConfig, at string) {
	known, _ := catalog.Known(p.Name)
	if p.TokenURL != "" {
		v.baseURL(at+".token_url", p.TokenURL)
		if !known.Minted {
			v.wrong(at+".token_url", "says nothing to %s", p.Name)
		}
	}
	if !known.Minted {
		return
	}
	check := func(path string, secret storage.Secret) {
		if serviceaccount.Is(secret) {
			if err := serviceaccount.Check(secret, p.TokenURL); err != nil {
				v.wrong(path, "%s", err)
			}
		}
	}
	check(at+".api_key", p.APIKey)
	for i := range p.APIKeys {
		check(element(at+".api_keys", i)+".key", p.APIKeys[i].Key)
	}
}
