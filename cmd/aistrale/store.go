package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// store is the store of the nouns with what opens its secrets.
type store struct {
	nounStore
	env     environment
	wrapper storage.KeyWrapper // nil where there is no master key
	vault   *storage.Vault     // seals and opens what requests leave behind
	missing error              // why there is none
	closed  bool               // whether a data key did not unwrap when all were read last
	retried time.Time          // when such were tried again
	uses    uses               // of stored credentials
	log     *slog.Logger
	last    *lastKnown // nil where the store is on this machine
	read    bool       // whether the store has been read once
	changed func()     // is told of changes by the control plane; nil: nobody is
}

// Together implements admin.Store, and tells of the change.
func (s *store) Together(ctx context.Context, f func(context.Context) error) error {
	err := s.nounStore.Together(ctx, f)
	if err == nil && s.changed != nil {
		s.changed()
	}
	return err
}

func openStore(ctx context.Context, env environment, config *Config, log *slog.Logger) (*store, error) {
	s, err := openNouns(ctx, config, log)
	if err != nil {
		return nil, err
	}
	wrapper, err := loadMasterKey(env.Getenv, config)
	if err != nil && !errors.Is(err, storage.ErrNoMasterKey) {
		return nil, errors.Join(err, s.Close())
	}
	opened := &store{nounStore: s, env: env, wrapper: wrapper, vault: storage.NewVault(wrapper), missing: err, log: log}
	if !config.Storage.Postgres.Empty() {
		opened.last = newLastKnown(config.DataDir, config.Storage.Postgres)
	}
	return opened, nil
}

// credential is a provider's key, opened, or why it could not be.
type credential struct {
	name   string
	secret storage.Secret
	weight int
	// workspace is whose calls alone it serves, in the place of the others; "" everybody's.
	workspace string
	used      *proxy.Use
	missing   bool // there is none
	err       error
}

// open opens stored credentials: those that the configuration names, else one for each provider and
// workspace. The default workspace's serve everybody; what another has serves its own calls and no
// others, so that nobody's credential reaches, or is paid for, by calls of others. One that cannot
// be opened keeps no other from serving.
func (s *store) open(ctx context.Context, config *Config, rows []storage.Credential, keys []storage.DataKey) map[string][]credential {
	s.closed = s.vault.Load(ctx, keys) != nil // a data key that does not unwrap is told of at each credential under it
	out := map[string][]credential{}
	for _, c := range chosen(rows) {
		opened := s.openOne(s.vault, config, c)
		if c.Workspace != storage.DefaultWorkspace {
			opened.workspace = c.Workspace
		}
		out[c.Provider] = append(out[c.Provider], opened)
	}
	for i := range config.Providers {
		p := &config.Providers[i]
		if len(p.Credentials) == 0 {
			continue
		}
		named := make([]credential, len(p.Credentials))
		for n, want := range p.Credentials {
			named[n] = s.openNamed(s.vault, config, rows, storage.Credential{Provider: p.Name, Name: want.Name})
			named[n].weight = want.Weight
		}
		out[p.Name] = named
	}
	return out
}

// retryEvery is how often data keys that did not unwrap are tried again.
const retryEvery = 5 * time.Second

// reopens reports, once, that data keys unwrap which did not: what wraps them was away and is back.
func (s *store) reopens(ctx context.Context) bool {
	now := s.env.Now()
	if !s.closed || s.wrapper == nil || now.Sub(s.retried) < retryEvery {
		return false
	}
	s.retried = now
	keys, err := s.DataKeys(ctx)
	return err == nil && s.vault.Load(ctx, keys) == nil
}

// chosen gives the credential of each provider and workspace where the configuration names none:
// the workspace's default, else the one of the provider's name, else the newest.
func chosen(rows []storage.Credential) []*storage.Credential {
	rank := func(c *storage.Credential) int {
		switch {
		case c.Default:
			return 2
		case c.Name == c.Provider:
			return 1
		}
		return 0
	}
	var out []*storage.Credential
	for i := range rows {
		c := &rows[i]
		n := slices.IndexFunc(out, func(o *storage.Credential) bool { return o.Provider == c.Provider && o.Workspace == c.Workspace })
		if n < 0 {
			out = append(out, c)
		} else if cmp.Or(cmp.Compare(rank(c), rank(out[n])), c.UpdatedAt.Compare(out[n].UpdatedAt)) > 0 {
			out[n] = c
		}
	}
	return out
}

// openNamed opens the default workspace's credential of a provider and a name.
func (s *store) openNamed(vault *storage.Vault, config *Config, rows []storage.Credential, want storage.Credential) credential {
	i := slices.IndexFunc(rows, func(c storage.Credential) bool {
		return c.Workspace == storage.DefaultWorkspace && c.Provider == want.Provider && c.Name == want.Name
	})
	if i < 0 {
		return credential{name: want.Name, err: fmt.Errorf("providers: %s: credentials: none named %q is stored for it", want.Provider, want.Name)}
	}
	return s.openOne(vault, config, &rows[i])
}

func (s *store) openOne(vault *storage.Vault, config *Config, c *storage.Credential) credential {
	opened := credential{name: c.Name, used: s.uses.of(c.ID)}
	address, err := config.baseURL(c.Provider)
	if err == nil {
		opened.secret, err = c.Open(vault, address)
	}
	if errors.Is(err, storage.ErrNoMasterKey) {
		err = s.missing // which says where one may be
	}
	opened.err = err
	return opened
}

// warnClosed reports credentials that could not be opened.
func warnClosed(log *slog.Logger, credentials map[string][]credential) {
	for _, provider := range slices.Sorted(maps.Keys(credentials)) {
		for _, c := range credentials[provider] {
			if c.err != nil {
				log.Error("a stored credential cannot be used", "provider", provider, "credential", c.name, "error", c.err.Error())
			}
		}
	}
}

// takeFromEnvironment stores the providers' keys that developer mode finds in the environment.
// One that has changed replaces the credential of its provider's name.
func (s *store) takeFromEnvironment(ctx context.Context, config *Config) error {
	n, _, err := readNouns(ctx, s)
	if err != nil && s.last != nil && ctx.Err() == nil {
		return nil // load says that the store is down
	}
	if err != nil {
		return err
	}
	have := s.open(ctx, config, n.Credentials, n.DataKeys)
	for _, name := range catalog.First() {
		provider, _ := catalog.Known(name)
		variable := s.firstSet(provider.Env)
		if variable == "" {
			continue
		}
		secret, err := checkSecret(variable, s.env.Getenv(variable))
		if err != nil {
			return err
		}
		if slices.ContainsFunc(have[name], func(old credential) bool {
			return old.err == nil && old.name == name && old.secret.Reveal() == secret.Reveal()
		}) {
			continue
		}
		if err := s.putCredential(ctx, config, name, secret); err != nil {
			return fmt.Errorf("%s: %w", variable, err)
		}
	}
	return nil
}

// firstSet gives the first of these variables that is set, "" where none is.
func (s *store) firstSet(variables []string) string {
	for _, name := range variables {
		if s.env.Getenv(name) != "" {
			return name
		}
	}
	return ""
}

// putCredential seals a provider's key for the address that the provider has in config.
func (s *store) putCredential(ctx context.Context, config *Config, name string, secret storage.Secret) error {
	address, err := config.baseURL(name)
	if err != nil {
		return err
	}
	now := s.env.Now()
	vault, err := sealingVault(ctx, s, s.wrapper, now)
	if err != nil {
		return err
	}
	c := storage.Credential{Name: name, Provider: name, Workspace: storage.DefaultWorkspace}
	if err := c.Seal(vault, secret, address, now); err != nil {
		return err
	}
	return s.PutCredential(ctx, c)
}
