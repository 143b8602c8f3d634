package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/aistrale/aistrale/internal/accesstoken"
	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

// state makes the gateway's snapshots out of the config and the store. Connections to an
// upstream whose address has not changed live on over a reload.
type state struct {
	mu      sync.Mutex
	pools   map[poolKey]proxy.Upstream
	minters map[mintKey]*accesstoken.Source
	ways    map[outbound.Options]*outbound.Way // the last good ones
	means   *policy.Means                      // of what keys' calls make
	known   map[string]bool                    // provider/model names that may be metric labels
	prompts prompt.Gatherer
}

func newState() *state {
	return &state{
		known: map[string]bool{}, pools: map[poolKey]proxy.Upstream{}, minters: map[mintKey]*accesstoken.Source{}, ways: map[outbound.Options]*outbound.Way{},
	}
}

type poolKey struct {
	baseURL string
	connect time.Duration
	way     string // its id
}

// mintKey tells tokens apart: of a secret by its hash, so that no copy is kept for this alone.
type mintKey struct {
	minter   string
	secret   [sha256.Size]byte
	tokenURL string
	way      string // its id
}

// maxConnsPerProvider bounds the connections to one upstream address.
const maxConnsPerProvider = 16384

// build makes a snapshot. Where it fails nothing live has changed; else connections that it has
// no use for are let go.
func (s *state) build(config *Config, stock *stock, mockURL string) (*proxy.Snapshot, error) {
	given, err := keysOf(config)
	if err != nil {
		return nil, err
	}
	rules, err := payloadRules(stock.projects)
	if err != nil {
		return nil, err
	}
	keys := policy.NewKeyring(rules.over(stock.keys, config.Tracing.Content), rules.over(given, config.Tracing.Content))
	if stock.missing != nil {
		keys = keys.Incomplete(stock.missing)
	}
	prices, err := config.priceBook(stock.prices)
	if err != nil {
		return nil, err
	}
	limits, err := config.limits(s.means, stock, keys.All())
	if err != nil {
		return nil, err
	}
	regions, err := config.regions(stock.workspaces)
	if err != nil {
		return nil, err
	}
	aliases, err := aliasesOf(config)
	if err != nil {
		return nil, err
	}
	stored, err := s.prompts.Gather(stock.prompts)
	if err != nil {
		return nil, err
	}
	b := newBuilder(s, config)
	b.credentials, b.mockURL, b.aliases = stock.credentials, mockURL, aliases
	for i := range config.Providers {
		if err := b.add(&config.Providers[i]); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", element("providers", i), config.Providers[i].Name, err)
		}
	}
	b.listModels()
	s.keep(b)
	return &proxy.Snapshot{
		Keys:     keys,
		Prices:   prices,
		Router:   policy.NewRouter(b.served, b.aliases, catalog.Owner),
		Accounts: b.accounts,
		Own:      b.own,
		Models:   b.models,
		Regions:  regions,
		Keepers:  config.keepers(),
		Limits:   limits,
		Prompts:  stored,
		Trusted:  config.TrustedProxies,
		CORS:     config.CORS.cors(),
		Patience: policy.Patience{MaxWait: config.Queue.MaxWait, MaxDepth: config.Queue.MaxDepth, Held: policy.HeldWait},
	}, nil
}

// keep remembers which names may become metric labels and closes pools that nothing uses.
func (s *state) keep(b *builder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := make(map[string]bool, len(b.models))
	for _, m := range b.models {
		known[m.ID] = true
	}
	for _, alias := range b.aliases {
		for _, t := range alias.Targets {
			known[t.Name()] = true
		}
	}
	s.known = known
	maps.DeleteFunc(s.ways, func(o outbound.Options, _ *outbound.Way) bool { return !b.ways[o] })
	for key, pool := range s.pools {
		if !b.used[key] {
			pool.Close()
			delete(s.pools, key)
		}
	}
	for key, minter := range s.minters {
		if !b.minted[key] {
			minter.Close()
			delete(s.minters, key)
		}
	}
}

// knows implements telemetry's bound on labels.
func (s *state) knows(provider, model string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[provider+"/"+model]
}

func (s *state) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pool := range s.pools {
		pool.Close()
	}
	for _, minter := range s.minters {
		minter.Close()
	}
}

func keysOf(config *Config) ([]storage.Key, error) {
	keys := make([]storage.Key, 0, len(config.Keys))
	for i := range config.Keys {
		key, err := config.Keys[i].key()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", element("keys", i), config.Keys[i].Name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (s *state) minter(key mintKey, secret storage.Secret, way *outbound.Way) (*accesstoken.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if minter, ok := s.minters[key]; ok {
		return minter, nil
	}
	minter, err := accesstoken.NewSource(key.minter, secret, key.tokenURL, way.Transport())
	if err == nil {
		s.minters[key] = minter
	}
	return minter, err
}

// way makes a way anew, as its files may have changed. Where they are not good any more, the last
// one stays: keys and all else must still be put in force.
func (s *state) way(o outbound.Options) (*outbound.Way, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	way, err := outbound.New(o)
	if last := s.ways[o]; err != nil && last != nil {
		return last, nil // who looks at the files says why
	}
	if err == nil {
		s.ways[o] = way
	}
	return way, err
}

func (s *state) pool(key poolKey, way *outbound.Way) (proxy.Upstream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pool, ok := s.pools[key]; ok {
		return pool, nil
	}
	pool, err := proxy.NewPool(proxy.PoolOptions{
		BaseURL: key.baseURL, Connect: key.connect, UserAgent: "aistrale/" + version, MaxConns: maxConnsPerProvider, Way: way,
	})
	if err == nil {
		s.pools[key] = pool
	}
	return pool, err
}

func aliasesOf(config *Config) (map[string]*policy.Alias, error) {
	out := make(map[string]*policy.Alias, len(config.Aliases))
	for i := range config.Aliases {
		a := &config.Aliases[i]
		alias, err := a.alias()
		if err != nil {
			return nil, fmt.Errorf("aliases: %s: %w", a.Name, err)
		}
		out[a.Name] = alias
	}
	return out, nil
}
