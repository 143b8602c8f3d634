package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// KeyConfig is a virtual key given by the configuration.
type KeyConfig struct {
	Name      string         `yaml:"name"`
	Key       storage.Secret `yaml:"key"`
	Models    []string       `yaml:"models"` // ["*"] where not said
	Allow     []string       `yaml:"allow"`
	Project   string         `yaml:"project"`
	Workspace string         `yaml:"workspace"`
	Owner     string         `yaml:"owner"`
	Tags      []string       `yaml:"tags"`
	Expires   time.Time      `yaml:"expires"` // zero: never

	Deny           []string            `yaml:"deny"`            // governed fields, whatever else allows them
	DenyModels     []string            `yaml:"deny_models"`     // patterns, as in models
	AllowProviders []string            `yaml:"allow_providers"` // empty: any
	DenyProviders  []string            `yaml:"deny_providers"`
	AllowAddresses storage.Networks    `yaml:"allow_addresses"` // from where it may be used; not said: anywhere
	Timeouts       KeyTimeouts         `yaml:"timeouts"`
	Defaults       []storage.Parameter `yaml:"defaults"` // request fields, where the client says nothing
	Force          []storage.Parameter `yaml:"force"`    // whatever the client says
	Priority       int                 `yaml:"priority"` // in the queue: the higher goes first
	Sticky         string              `yaml:"sticky"`   // session or prefix
	Cache          time.Duration       `yaml:"cache"`    // how long answers are kept; 0: not at all
	Store          time.Duration       `yaml:"store"`    // how long responses and conversations are; 0: not at all
	Limits         []LimitConfig       `yaml:"limits"`   // of the key itself, without a scope
	Budgets        []BudgetConfig      `yaml:"budgets"`
	Payloads       KeyPayloads         `yaml:"payloads"` // what is kept of what is asked and answered
}

// KeyTimeouts has the fields of storage.KeyTimeouts, to which it converts.
type KeyTimeouts struct {
	FirstByte  time.Duration `yaml:"first_byte"`
	StreamIdle time.Duration `yaml:"stream_idle"`
	Total      time.Duration `yaml:"total"`
}

// key gives the virtual key as the rest of the gateway knows it.
func (k *KeyConfig) key() (storage.Key, error) {
	key, err := storage.KeyOf(k.Name, k.Key.Reveal())
	if err != nil {
		return storage.Key{}, err
	}
	if err := k.put(&key); err != nil {
		return storage.Key{}, fmt.Errorf("key %q: %w", k.Name, err)
	}
	if !k.Expires.IsZero() {
		key.ExpiresAt = &k.Expires
	}
	return key, key.Check()
}

// put gives a key all that is said of it but name, text and end.
func (k *KeyConfig) put(key *storage.Key) (err error) {
	key.Owner, key.Allow, key.Tags = k.Owner, k.Allow, k.Tags
	key.Deny, key.DenyModels = k.Deny, k.DenyModels
	key.AllowProviders, key.DenyProviders = k.AllowProviders, k.DenyProviders
	key.AllowAddresses = k.AllowAddresses
	key.Parameters = storage.Parameters{Defaults: k.Defaults, Force: k.Force}
	key.Timeouts, key.Priority, key.Sticky = storage.KeyTimeouts(k.Timeouts), k.Priority, k.Sticky
	key.Cache, key.Store, key.Payloads = k.Cache, k.Store, k.Payloads.settings()
	if k.Models != nil {
		key.Models = k.Models
	}
	if k.Project != "" {
		key.Project = k.Project
	}
	if k.Workspace != "" {
		key.Workspace = k.Workspace
	}
	key.Bounds, err = boundsOf(k.Limits, k.Budgets)
	return err
}

func (v *validator) keys(c *Config) {
	names, ids := map[string]string{}, map[string]string{}
	for i := range c.Keys {
		k, at := &c.Keys[i], element("keys", i)
		v.name(at+".name", k.Name, "key", names)
		if k.Models != nil && len(k.Models) == 0 {
			v.wrong(at+".models", `is empty, so that the key may use nothing; ["*"] is every model`)
		}
		v.denials(k, at, c)
		if k.Key.Empty() {
			v.wrong(at+".key", "is missing")
			continue
		}
		if k.Name == "" {
			continue
		}
		key, err := k.key()
		if err == nil {
			err = admin.CheckBounds(key.Scope(), &key.Bounds)
		}
		if err != nil {
			v.wrong(at, "%s", err)
			continue
		}
		if first, ok := ids[key.ID]; ok {
			v.wrong(at+".key", "has the public id of %s, and ids must differ", first)
			continue
		}
		ids[key.ID] = at
	}
}

// denials holds what narrows a key to mean something: a denial that matches nothing would be
// believed in and never hold.
func (v *validator) denials(k *KeyConfig, at string, c *Config) {
	if k.Store > c.Turns.MaxLifetime {
		v.wrong(member(at, "store"), "is longer than turns.max_lifetime, %s", c.Turns.MaxLifetime)
	}
	v.keyPayloads(k.Payloads.settings(), member(at, "payloads"), c)
	v.patterns(member(at, "deny_models"), k.DenyModels, c)
	if own, err := boundsOf(k.Limits, k.Budgets); err == nil {
		v.bounds(&own, at, c)
	}
	names := c.providerNames()
	for _, list := range []struct {
		name  string
		items []string
	}{{"allow_providers", k.AllowProviders}, {"deny_providers", k.DenyProviders}} {
		for i, p := range list.items {
			if !slices.Contains(names, p) {
				v.wrong(element(member(at, list.name), i), "no provider %q is configured%s", p, hint(p, names))
			}
		}
	}
	known := governed()
	for i, field := range k.Deny {
		if !slices.ContainsFunc(known, func(path string) bool { return path == field || strings.HasPrefix(path, field+".") }) {
			v.wrong(element(member(at, "deny"), i), "%q is no governed field%s; a field that is not governed is set by force", field, hint(field, known))
		}
	}
}

// bounds holds the models of limits and budgets to mean some.
func (v *validator) bounds(b *storage.Bounds, at string, c *Config) {
	for i := range b.Limits {
		v.patterns(member(at, element("limits", i)+".models"), b.Limits[i].Models, c)
	}
	for i := range b.Budgets {
		v.patterns(member(at, element("budgets", i)+".models"), b.Budgets[i].Models, c)
	}
}

// governed lists the paths of the fields that keys are held against.
func governed() []string {
	var paths []string
	for _, name := range catalog.First() {
		known, _ := catalog.Known(name)
		for _, routes := range known.Routes {
			for _, route := range routes {
				for i := range route.Governed {
					paths = append(paths, route.Governed[i].Path)
				}
			}
		}
	}
	for _, s := range catalog.Surfaces() {
		for i := range s.Endpoints {
			if at := &s.Endpoints[i]; at.About() {
				paths = append(paths, at.Op.String())
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
