package main

import (
	"cmp"
	"slices"

	"github.com/aistrale/aistrale/internal/guard"
	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/storage"
)

// OutboundConfig says what addresses may be called that are given through the control plane, as
// webhooks and base URLs are. What the configuration itself names may always be called.
type OutboundConfig struct {
	Allow []string `yaml:"allow"` // what is not public and may be called all the same: ranges, addresses, hosts
	HTTP  bool     `yaml:"http"`  // plain http too

	Proxy  storage.Secret `yaml:"proxy"`   // of providers that say none of their own; empty: none
	CAFile string         `yaml:"ca_file"` // PEM: who signs their certificates; "": who the system trusts
}

// noProxy is the proxy of a provider that is called directly, whatever outbound says.
const noProxy = "none"

// inherit gives a provider what it does not say itself. The emulator is this process' own.
func (c *OutboundConfig) inherit(p *ProviderConfig) {
	if p.Name == mockName && p.BaseURL == "" {
		return
	}
	if p.Proxy.Empty() {
		p.Proxy = c.Proxy
	}
	p.CAFile = cmp.Or(p.CAFile, c.CAFile)
}

// way is how the provider is reached.
func (p *ProviderConfig) way() outbound.Options {
	o := outbound.Options{Proxy: p.Proxy, CAFile: p.CAFile, CertFile: p.CertFile, KeyFile: p.KeyFile}
	if p.Proxy.Reveal() == noProxy {
		o.Proxy = storage.Secret{}
	}
	return o
}

// wayFiles are the files of all ways, which are read anew when they change.
func (c *Config) wayFiles() []string {
	var files []string
	for i := range c.Providers {
		p := &c.Providers[i]
		files = append(files, p.CAFile, p.CertFile, p.KeyFile)
	}
	slices.Sort(files)
	return slices.DeleteFunc(slices.Compact(files), func(path string) bool { return path == "" })
}

// way checks that a way can be gone.
func (v *validator) way(at string, o outbound.Options) {
	if _, err := outbound.New(o); err != nil {
		v.wrong(at, "%s", err)
	}
}

// guard gives what holds addresses against it.
func (c *OutboundConfig) guard() (*guard.Guard, error) {
	return guard.New(guard.Rules{Allow: c.Allow, HTTP: c.HTTP})
}

// outbound checks that what is allowed can be read.
func (v *validator) outbound(c *OutboundConfig) {
	v.way("outbound", outbound.Options{Proxy: c.Proxy, CAFile: c.CAFile})
	for i, entry := range c.Allow {
		if _, err := guard.New(guard.Rules{Allow: []string{entry}}); err != nil {
			v.wrong(element("outbound.allow", i), "%s", err)
		}
	}
}
