package main

import "github.com/aistrale/aistrale/internal/guard"

// OutboundConfig says what addresses may be called that are given through the control plane, as
// webhooks and base URLs are. What the configuration itself names may always be called.
type OutboundConfig struct {
	Allow []string `yaml:"allow"` // what is not public and may be called all the same: ranges, addresses, hosts
	HTTP  bool     `yaml:"http"`  // plain http too
}

// guard gives what holds addresses against it.
func (c *OutboundConfig) guard() (*guard.Guard, error) {
	return guard.New(guard.Rules{Allow: c.Allow, HTTP: c.HTTP})
}

// outbound checks that what is allowed can be read.
func (v *validator) outbound(c *OutboundConfig) {
	for i, entry := range c.Allow {
		if _, err := guard.New(guard.Rules{Allow: []string{entry}}); err != nil {
			v.wrong(element("outbound.allow", i), "%s", err)
		}
	}
}
