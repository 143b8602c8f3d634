package main

import (
	"github.com/aistrale/aistrale/storage"
)

// APIKeyConfig is one of several credentials of a provider.
type APIKeyConfig struct {
	Name   string         `yaml:"name"` // in records; unique in the provider
	Key    storage.Secret `yaml:"key"`
	Weight int            `yaml:"weight"` // how large its share of the calls is; 0 in all: alike
}

// CredentialConfig names a stored credential. As a single word it is its name.
type CredentialConfig struct {
	Name   string `yaml:"name"`
	Weight int    `yaml:"weight"`
}

// accounts says what is wrong with the credentials of a provider.
func (v *validator) accounts(p *ProviderConfig, at string) {
	ways := 0
	for _, said := range []bool{!p.APIKey.Empty(), p.APIKeys != nil, p.Credentials != nil} {
		if said {
			ways++
		}
	}
	if ways > 1 {
		v.wrong(at, "api_key, api_keys and credentials: give one of them")
	}
	seen, weights := map[string]string{}, []int{}
	for i := range p.APIKeys {
		k, at := &p.APIKeys[i], element(at+".api_keys", i)
		v.credentialName(at+".name", k.Name, seen)
		if key := k.Key.Reveal(); key == "" || key == noKey {
			v.wrong(at+".key", "is missing")
		}
		weights = append(weights, k.Weight)
	}
	v.sharedOut(at+".api_keys", "keys", weights)
	weights = weights[:0]
	for i := range p.Credentials {
		k := &p.Credentials[i]
		v.credentialName(element(at+".credentials", i), k.Name, seen)
		weights = append(weights, k.Weight)
	}
	v.sharedOut(at+".credentials", "credentials", weights)
	if p.APIKeys != nil && len(p.APIKeys) == 0 {
		v.wrong(at+".api_keys", "is empty; leave it out for the stored credential of the provider")
	}
	if p.Credentials != nil && len(p.Credentials) == 0 {
		v.wrong(at+".credentials", "is empty; leave it out for the stored credential of the provider")
	}
}

func (v *validator) credentialName(at, name string, seen map[string]string) {
	v.name(at, name, "credential", seen)
	if name == "" {
		return
	}
	if err := storage.CheckName("credential", name); err != nil {
		v.wrong(at, "%s", err)
	}
}
