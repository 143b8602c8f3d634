package main

import (
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// filters reads the --where flags: model=a,b,key=c has the filters model (a or b) and key (c).
func (c *ledgerCommand) filters(config *Config) ([]storage.Filter, error) {
	values := map[storage.Dimension][]string{}
	var dimension storage.Dimension
	for _, text := range c.where {
		dimension = ""
		for part := range strings.SplitSeq(text, ",") {
			value := strings.TrimSpace(part)
			if name, after, ok := strings.Cut(value, "="); ok {
				if dimension, value = storage.Dimension(strings.TrimSpace(name)), strings.TrimSpace(after); !slices.Contains(storage.Dimensions(), dimension) {
					return nil, usagef("--where: %q is no dimension%s\n%s", name, hint(name, dimensionNames()), c.usage)
				}
			}
			if dimension == "" || value == "" {
				return nil, usagef("--where: %q is not of the form model=anthropic/*,key=ci\n%s", text, c.usage)
			}
			values[dimension] = append(values[dimension], value)
		}
	}
	if err := c.splitModels(config, values); err != nil {
		return nil, err
	}
	var filters []storage.Filter
	for _, d := range storage.Dimensions() {
		if len(values[d]) > 0 {
			filters = append(filters, storage.Filter{Dimension: d, Values: values[d]})
		}
	}
	return filters, nil
}

// splitModels takes models that are named as clients name them, with the provider before them,
// apart: the ledger has the two in columns of their own. Where a provider is asked for, models
// are taken as they stand, since some upstreams' names have a slash too.
func (c *ledgerCommand) splitModels(config *Config, values map[storage.Dimension][]string) error {
	models := values[storage.ByModel]
	if len(models) == 0 || len(values[storage.ByProvider]) > 0 {
		return nil
	}
	var found string
	bare := make([]string, 0, len(models))
	for i, model := range models {
		provider, rest, ok := strings.Cut(model, "/")
		if !ok || !config.knows(provider) {
			provider, rest = "", model
		}
		if i > 0 && provider != found {
			return usagef("--where: %s and %s are of different providers: ask for one at a time\n%s", models[0], model, c.usage)
		}
		found, bare = provider, append(bare, rest)
	}
	if found == "" {
		return nil
	}
	values[storage.ByProvider], values[storage.ByModel] = []string{found}, bare
	if slices.Contains(bare, "*") {
		delete(values, storage.ByModel)
	}
	return nil
}

// knows reports whether a name is that of a provider.
func (c *Config) knows(provider string) bool {
	return provider == mockName || slices.Contains(catalog.Names(), provider) ||
		slices.ContainsFunc(c.Providers, func(p ProviderConfig) bool { return p.Name == provider })
}

func dimensionNames() []string {
	var names []string
	for _, d := range storage.Dimensions() {
		names = append(names, string(d))
	}
	return names
}
