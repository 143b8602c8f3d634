package main

import (
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers/catalog"
)

// aliasing resolves every alias to targets of the form provider/model.
type aliasing struct {
	*validator
	config *Config
	byName map[string]int  // index of an alias
	path   []string        // of aliases being resolved, to see a loop
	done   map[string]bool // resolved, or found wrong
}

func (v *validator) aliases(c *Config) {
	a := &aliasing{validator: v, config: c, byName: map[string]int{}, done: map[string]bool{}}
	for i, alias := range c.Aliases {
		a.byName[alias.Name] = i
	}
	for i := range c.Aliases {
		a.checkName(c.Aliases[i].Name)
		a.resolve(i)
	}
}

func (a *aliasing) checkName(name string) {
	at := "aliases." + name
	first, _, hasSlash := strings.Cut(name, "/")
	switch {
	case !isModel(name):
		a.wrong(at, "%q is no name for an alias", name)
	case hasSlash && (first == "prompt" || slices.Contains(a.config.providerNames(), first)):
		a.wrong(at, "an alias must not hide the names of %s/", first)
	}
}

// resolve puts full targets in place of what the file says. An alias among the targets of an
// ordered alias becomes its own targets.
func (a *aliasing) resolve(i int) {
	alias := &a.config.Aliases[i]
	if a.done[alias.Name] {
		return
	}
	at := "aliases." + alias.Name
	list := at
	if _, long := a.places[at+".targets"]; long {
		list = at + ".targets"
	}
	if slices.Contains(a.path, alias.Name) {
		a.wrong(at, "leads back to itself: %s", strings.Join(append(slices.Clone(a.path), alias.Name), " → "))
		return
	}
	a.path = append(a.path, alias.Name)
	defer func() { a.path, a.done[alias.Name] = a.path[:len(a.path)-1], true }()
	if len(alias.Targets) == 0 {
		a.wrong(at, "has no targets")
	}
	weighted := a.weights(alias, list)
	a.aliasRules(alias, at, weighted)
	var targets []TargetConfig
	for n, target := range alias.Targets {
		targets = append(targets, a.target(target, element(list, n), weighted)...)
	}
	alias.Targets = targets
}

func (a *aliasing) weights(alias *AliasConfig, at string) bool {
	weights := make([]int, len(alias.Targets))
	for i, target := range alias.Targets {
		weights[i] = target.Weight
	}
	return a.sharedOut(at, "targets", weights)
}

func (a *aliasing) target(t TargetConfig, at string, weighted bool) []TargetConfig {
	if i, ok := a.byName[t.Target]; ok {
		a.resolve(i)
		inner := a.config.Aliases[i].Targets
		if a.config.Aliases[i].hasRules() {
			a.wrong(at, "%q is an alias with rules of its own, which would not hold here; name its targets", t.Target)
		}
		if weighted || slices.ContainsFunc(inner, func(t TargetConfig) bool { return t.Weight != 0 }) {
			a.wrong(at, "%q is an alias, and aliases nest only where neither has weights", t.Target)
		}
		return inner
	}
	provider, model, ok := strings.Cut(t.Target, "/")
	if !ok {
		provider, ok = catalog.Owner(t.Target)
		model = t.Target
	}
	if !ok {
		a.wrong(at, "%q is neither provider/model, nor an alias, nor a model that the catalogue knows%s", t.Target, hint(t.Target, a.config.aliasNames()))
		return nil
	}
	i := slices.IndexFunc(a.config.Providers, func(p ProviderConfig) bool { return p.Name == provider })
	if i < 0 {
		a.wrong(at, "%q: no provider %q is configured%s", t.Target, provider, hint(provider, a.config.providerNames()))
		return nil
	}
	a.model(&a.config.Providers[i], model, at)
	t.Provider, t.Model = provider, model
	return []TargetConfig{t}
}

func (a *aliasing) model(p *ProviderConfig, model, at string) {
	serves := p.Models
	if p.Name == mockName {
		serves = nil
		for _, m := range catalog.Models(mockName) {
			serves = append(serves, m.ID)
		}
	}
	switch {
	case !isModel(model):
		a.wrong(at, "%q is no model's name", model)
	case len(serves) > 0 && !slices.Contains(serves, model):
		a.wrong(at, "provider %s does not serve %q%s", p.Name, model, hint(model, serves))
	}
}
