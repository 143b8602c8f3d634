package main

import (
	"slices"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
)

// isKnown reports whether the catalogue knows how to speak with the provider in the language
// that the configuration wants.
func (p *ProviderConfig) isKnown() bool {
	known, ok := catalog.Known(p.Name)
	return ok && (p.Dialect == "" || p.Dialect == known.Routes[providers.OpChat].Language)
}

// provider gives what the catalogue makes of the configuration. The emulator is not asked for
// here: it is several providers, see mocks.
func (p *ProviderConfig) provider() (providers.Provider, error) {
	quirks := providers.Quirks(p.Quirks)
	if !p.isKnown() {
		made, err := catalog.Compatible(p.Name, p.Dialect, p.BaseURL, quirks)
		made.Forward = append(made.Forward, p.Forward...)
		return made, err
	}
	known, _ := catalog.Known(p.Name)
	known = catalog.With(known, p.BaseURL, quirks)
	known.Forward = append(slices.Clone(known.Forward), p.Forward...)
	return known, nil
}

// mocks gives the emulator's providers by model, at the configured address or else at the one
// of the emulator within this process.
func (p *ProviderConfig) mocks(inProcess string) map[string]providers.Provider {
	if p.BaseURL != "" {
		return catalog.Mock(p.BaseURL)
	}
	return catalog.Mock(inProcess)
}
