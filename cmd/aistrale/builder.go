package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/internal/accesstoken"
	"github.com/aistrale/aistrale/internal/outbound"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
)

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
