package main

import (
	"fmt"
	"slices"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// warnings says what is allowed and may yet be a slip: a limit for somebody who has no key, a
// budget that a restart forgets. keys are those that are known, and where says whose they are.
func (c *Config) warnings(keys []storage.Key, where string) []string {
	w := warner{where: where}
	for i := range keys {
		if keys[i].RevokedAt == nil {
			w.keys = append(w.keys, &keys[i])
		}
	}
	for i := range c.Limits {
		w.scope(element("limits", i)+".scope", c.Limits[i].Scope)
	}
	for i := range c.Budgets {
		w.scope(element("budgets", i)+".scope", c.Budgets[i].Scope)
	}
	for i := range c.Workspaces {
		w.holder(element("workspaces", i)+".name", storage.ScopeWorkspace, c.Workspaces[i].Name)
	}
	w.memory(c)
	return w.list
}

type warner struct {
	keys  []*storage.Key
	where string
	list  []string
}

// memory warns where budgets begin anew though their windows do not.
func (w *warner) memory(c *Config) {
	for i := range c.Budgets {
		for n, m := range c.Budgets[i].Models {
			named := func(alias string) bool { return policy.Allows([]string{m}, alias) }
			if m != "*" && slices.ContainsFunc(c.aliasNames(), named) {
				w.add(element(element("budgets", i)+".models", n), "%q is an alias, which the ledger does not know: what was spent by it is forgotten at a restart", m)
			}
		}
	}
	switch {
	case len(c.Budgets) == 0:
	case c.Journal.Store == journalOff:
		w.add("budgets", "journal is %s, so that a gateway that starts anew knows nothing of what was spent before", journalOff)
	case !c.Ledger.Ship:
		w.add("budgets", "ledger.ship is false, so that a gateway that starts anew serves no call of a budget until it ships")
	case !c.Storage.Redis.Empty() && c.Storage.Postgres.Empty():
		w.add("budgets", "storage.postgres is not set, so that a Redis that comes back empty learns from one gateway only what was spent")
	}
}

func (w *warner) add(path, format string, args ...any) {
	w.list = append(w.list, path+": "+fmt.Sprintf(format, args...))
}

func (w *warner) scope(path, text string) {
	if s, err := scopeOf(text); err == nil && s.Kind != storage.ScopeAll && s.Name != "*" {
		w.holder(path, s.Kind, s.Name)
	}
}

// holder warns where no key is of somebody.
func (w *warner) holder(path string, kind storage.ScopeKind, name string) {
	var known []string
	for _, k := range w.keys {
		own := map[storage.ScopeKind]string{
			storage.ScopeKey: k.Name, storage.ScopeUser: k.Owner, storage.ScopeProject: k.Project, storage.ScopeWorkspace: k.Workspace,
		}[kind]
		if own == name {
			return
		}
		if own != "" && !slices.Contains(known, own) {
			known = append(known, own)
		}
	}
	if kind == storage.ScopeKey {
		w.add(path, "no key %s is named %q%s", w.where, name, hint(name, known))
		return
	}
	w.add(path, "no key %s has the %s %q%s", w.where, kind, name, hint(name, known))
}

// warn logs what may be a slip, once for as long as it stays the same.
func (s *service) warn(config *Config, stock *stock) {
	if stock.missing != nil {
		return // keys that nobody knows now may be meant
	}
	given, err := keysOf(config)
	if err != nil {
		return // the snapshot's to report
	}
	list := config.warnings(slices.Concat(given, stock.keys), "of the configuration or the store")
	if !slices.Equal(list, s.warned) {
		for _, text := range list {
			s.log.Warn("the configuration may have a slip", "setting", text)
		}
	}
	s.warned = list
}
