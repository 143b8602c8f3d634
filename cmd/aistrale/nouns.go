package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/storage"
)

// nouns is one reading of a store, sealed and hashed as the store keeps it.
type nouns struct {
	Keys        []storage.Key        `json:"keys"`
	Credentials []storage.Credential `json:"credentials"`
	DataKeys    []storage.DataKey    `json:"data_keys"`
	Prices      []storage.Price      `json:"prices"`
	Workspaces  []storage.Tenant     `json:"workspaces"`
	Projects    []storage.Tenant     `json:"projects"`
	Prompts     []storage.Document   `json:"prompts"`
	LogRules    []storage.Document   `json:"log_rules"`
}

// readNouns gives them with the version that they have at least: what changes meanwhile is seen
// at the next look.
func readNouns(ctx context.Context, s nounStore) (n *nouns, version int64, err error) {
	if version, err = s.Version(ctx); err != nil {
		return nil, 0, err
	}
	n = &nouns{}
	if n.Keys, err = s.Keys(ctx); err != nil {
		return nil, 0, err
	}
	if n.Credentials, err = s.Credentials(ctx); err != nil {
		return nil, 0, err
	}
	if n.DataKeys, err = s.DataKeys(ctx); err != nil {
		return nil, 0, err
	}
	if n.Workspaces, err = s.Tenants(ctx, ""); err != nil {
		return nil, 0, err
	}
	if n.Projects, err = s.Tenants(ctx, storage.Everywhere); err != nil {
		return nil, 0, err
	}
	for _, kind := range prompt.Kinds() {
		found, err := s.Documents(ctx, storage.DocumentQuery{Kind: kind, All: true})
		if err != nil {
			return nil, 0, err
		}
		n.Prompts = append(n.Prompts, found...)
	}
	if n.LogRules, err = s.Documents(ctx, storage.DocumentQuery{Kind: storage.LogRuleKind()}); err != nil {
		return nil, 0, err
	}
	n.Prices, err = s.Prices(ctx)
	return n, version, err
}

// stock is what a snapshot is built of.
type stock struct {
	version     int64 // of the store; noVersion where the store could not be asked
	keys        []storage.Key
	credentials map[string][]credential // by provider, opened
	prices      []storage.Price
	workspaces  []storage.Tenant
	projects    []storage.Tenant
	prompts     []storage.Document
	logRules    []storage.Document
	missing     error // why there may be more keys than these; nil: there are none
}

// noVersion is the version of no store, so that the next look at the store finds a change.
const noVersion = -1

// load reads the store. Until a store that is shared has been read once, what it said last, or
// nothing, stands in for it: the gateway serves the keys that it knows, and the others wait.
func (s *store) load(ctx context.Context, config *Config) (*stock, error) {
	n, version, err := readNouns(ctx, s)
	if err == nil {
		s.read = true
		s.remember(n)
		return s.stock(ctx, config, n, version), nil
	}
	if s.last == nil || s.read || ctx.Err() != nil {
		return nil, err
	}
	n, saved, old := s.last.load()
	switch {
	case old == nil:
		s.log.Warn("storage.postgres: cannot be asked; keys, credentials and prices are what it said last",
			"age", s.env.Now().Sub(saved).Round(time.Second).String(), "file", s.last.path, "error", err.Error())
	case errors.Is(old, fs.ErrNotExist):
		s.log.Warn("storage.postgres: cannot be asked; only the keys of the configuration are known", "error", err.Error())
		n = &nouns{}
	default:
		s.log.Error("storage.postgres: cannot be asked, and what it said last cannot be read; only the keys of the configuration are known",
			"error", err.Error(), "last_known", old.Error())
		n = &nouns{}
	}
	stock := s.stock(ctx, config, n, noVersion)
	stock.missing = err
	return stock, nil
}

// remember copies what a shared store said. A node without a disk of its own goes without.
func (s *store) remember(n *nouns) {
	if s.last == nil {
		return
	}
	if err := s.last.save(n, s.env.Now()); err != nil {
		s.log.Warn("what storage.postgres said cannot be kept; while it is down, a start of this node knows only the keys of the configuration",
			"error", err.Error())
	}
}

func (s *store) stock(ctx context.Context, config *Config, n *nouns, version int64) *stock {
	_ = s.vault.Load(ctx, n.DataKeys) // one that does not unwrap is told of where something sealed under it is opened
	return &stock{version: version, keys: n.Keys, credentials: s.open(ctx, config, n.Credentials, n.DataKeys), prices: n.Prices, workspaces: n.Workspaces, projects: n.Projects, prompts: n.Prompts, logRules: n.LogRules}
}
