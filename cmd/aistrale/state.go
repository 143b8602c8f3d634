package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aistrale/aistrale/internal/accesstoken"
	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/providers"
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
	keys := policy.NewKeyring(rules.over(stock.keys), rules.over(given))
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

// builder gathers one snapshot.
type builder struct {
	state       *state
	config      *Config
	credentials map[string][]credential // by provider
	mockURL     string
	aliases     map[string]*policy.Alias
	accounts    map[string][]*proxy.Account
	own         map[string]map[string][]*proxy.Account // by workspace
	served      map[string][]string                    // models by provider; nil: any
	models      []providers.ListedModel
	used        map[poolKey]bool
	ways        map[outbound.Options]bool
	minted      map[mintKey]bool
}

func newBuilder(s *state, config *Config) *builder {
	return &builder{
		state: s, config: config, accounts: map[string][]*proxy.Account{}, own: map[string]map[string][]*proxy.Account{},
		served: map[string][]string{}, used: map[poolKey]bool{}, ways: map[outbound.Options]bool{}, minted: map[mintKey]bool{},
	}
}

// add makes the account of a configured provider.
func (b *builder) add(p *ProviderConfig) error {
	quirks := providers.Quirks(p.Quirks)
	if p.Name == mockName {
		base := cmp.Or(p.BaseURL, b.mockURL)
		for model, provider := range catalog.Mock(base) {
			if err := b.account(mockName+"/"+model, p, provider); err != nil {
				return err
			}
			b.served[mockName] = append(b.served[mockName], model)
		}
		return nil
	}
	b.served[p.Name] = p.Models
	provider, ok := catalog.At(p.kind(), p.settings())
	if ok {
		provider = catalog.With(provider, quirks)
	} else {
		var err error
		if provider, err = catalog.Compatible(p.Name, p.Dialect, p.BaseURL, quirks); err != nil {
			return err
		}
	}
	if p.Responses {
		provider = catalog.WithResponses(provider)
	}
	provider.Name = p.Name
	return b.account(p.Name, p, provider)
}

func (b *builder) account(name string, p *ProviderConfig, provider providers.Provider) error {
	provider.Forward = slices.Clip(provider.Forward)
	for _, header := range p.Forward {
		if !slices.Contains(provider.Forward, header) && !slices.Contains(provider.ForwardExact, header) {
			provider.Forward = append(provider.Forward, header)
		}
	}
	if p.Keeps {
		provider = catalog.Keeping(provider)
	}
	b.ways[p.way()] = true
	way, err := b.state.way(p.way())
	if err != nil {
		return err
	}
	key := poolKey{provider.BaseURL, p.Timeouts.Connect, way.ID()}
	b.used[key] = true
	pool, err := b.state.pool(key, way)
	if err != nil {
		return err
	}
	general := proxy.Account{
		Provider: provider, Keeper: name, Kind: policy.Kind{Name: p.kind(), Models: p.Deployments},
		Region: p.Region, Tariff: p.tariff(), Upstream: pool, Way: way, FirstByte: p.Timeouts.FirstByte, StreamIdle: p.Timeouts.StreamIdle,
		Retry: policy.Retry(p.Retry), Breaker: p.Breaker.rules(), Sticky: policy.Sticky(p.Sticky),
	}
	general.Can = func(model string) providers.Capabilities {
		known := general.Kind.Of(policy.Target{Provider: p.Name, Model: model})
		return catalog.Capabilities(known.Provider, known.Model)
	}
	for _, c := range b.credentialsOf(p, &provider) {
		a := general
		a.Credential, a.Weight, a.Secret, a.Used = c.name, c.weight, c.secret, c.used
		a.NeedsKey, a.KeyError = c.missing || c.err != nil, c.err
		if provider.Minted != "" && accesstoken.Is(c.secret) {
			b.mint(&a, p)
		}
		b.serves(c.workspace, name, &a)
	}
	return nil
}

// serves puts an account where it is found. Workspaces may give their credentials one name.
func (b *builder) serves(workspace, name string, a *proxy.Account) {
	if workspace == "" {
		b.accounts[name] = append(b.accounts[name], a)
		return
	}
	a.Credential = workspace + "/" + a.Credential
	if b.own[workspace] == nil {
		b.own[workspace] = map[string][]*proxy.Account{}
	}
	b.own[workspace][name] = append(b.own[workspace][name], a)
}

// mint has an account send tokens in place of what they are minted with.
func (b *builder) mint(a *proxy.Account, p *ProviderConfig) {
	key := mintKey{a.Minted, sha256.Sum256([]byte(a.Secret.Reveal())), p.TokenURL, a.Way.ID()}
	b.minted[key] = true
	minter, err := b.state.minter(key, a.Secret, a.Way)
	if err != nil {
		a.NeedsKey, a.KeyError = true, fmt.Errorf("providers: %s: credential %q: %w", p.Name, a.Credential, err)
		return
	}
	a.Tokens = minter
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

// credentialsOf gives what a provider's accounts are called with, at least one that is everybody's.
func (b *builder) credentialsOf(p *ProviderConfig, provider *providers.Provider) []credential {
	switch {
	case p.NoKey:
		return []credential{{}}
	case !p.APIKey.Empty():
		return []credential{{name: "config", secret: p.APIKey}}
	case len(p.APIKeys) > 0:
		out := make([]credential, len(p.APIKeys))
		for i, k := range p.APIKeys {
			out[i] = credential{name: k.Name, secret: k.Key, weight: k.Weight}
		}
		return out
	case provider.Name == mockName && len(p.Credentials) == 0:
		return []credential{{secret: storage.NewSecret("mock")}}
	}
	stored := b.credentials[provider.Name]
	if !slices.ContainsFunc(stored, func(c credential) bool { return c.workspace == "" }) {
		stored = append(slices.Clip(stored), credential{missing: !provider.Keyless || len(p.Credentials) > 0})
	}
	return stored
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

// listModels gathers GET /v1/models: aliases first, then each provider's models. A provider
// without a credential is left out: its models could not be called.
func (b *builder) listModels() {
	for _, a := range b.config.Aliases {
		b.models = append(b.models, providers.ListedModel{ID: a.Name, OwnedBy: "aistrale"})
	}
	kinds := b.config.kinds()
	for _, provider := range slices.Sorted(maps.Keys(b.served)) {
		if !slices.ContainsFunc(b.accounts[provider], func(a *proxy.Account) bool { return !a.NeedsKey }) && provider != mockName {
			continue
		}
		kind := kinds[provider]
		known := map[string]catalog.Model{}
		for _, m := range catalog.Models(kind.Name) {
			known[m.ID] = m
		}
		ids := b.served[provider]
		if len(ids) == 0 {
			ids = slices.AppendSeq(slices.Collect(maps.Keys(known)), maps.Keys(kind.Models))
		}
		for _, id := range slices.Sorted(slices.Values(ids)) {
			m := providers.ListedModel{ID: provider + "/" + id, OwnedBy: provider}
			as := kind.Of(policy.Target{Provider: provider, Model: id})
			m.Created, m.Can = created(known[as.Model]), catalog.Capabilities(as.Provider, as.Model)
			m.Ops = b.operations(provider, id)
			b.models = append(b.models, m)
		}
	}
}

// operations are what a model serves: those of its provider, of which embeddings and the others
// are no model's together. Providers name them so that their kind is told.
func (b *builder) operations(provider, id string) []providers.Op {
	accounts := b.accounts[provider+"/"+id]
	if len(accounts) == 0 {
		accounts = b.accounts[provider]
	}
	if len(accounts) == 0 {
		return nil
	}
	embeds := strings.Contains(id, "embed")
	var ops []providers.Op
	for op := range accounts[0].Routes {
		if embeds == (op == providers.OpEmbeddings) || provider == mockName {
			ops = append(ops, op)
		}
	}
	slices.Sort(ops)
	return ops
}

// created is the model's release in Unix seconds, 0 where the catalogue has no date.
func created(m catalog.Model) int64 {
	t, err := time.Parse(time.DateOnly, m.Released)
	if err != nil {
		return 0
	}
	return t.Unix()
}
