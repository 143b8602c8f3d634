package main

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// RetryConfig has the fields of policy.Retry, to which it converts.
type RetryConfig struct {
	Max           int           `yaml:"max"` // 0: never
	Backoff       time.Duration `yaml:"backoff"`
	MaxBackoff    time.Duration `yaml:"max_backoff"`
	AfterMax      time.Duration `yaml:"retry_after_max"`
	BudgetPercent int           `yaml:"budget_percent"`
	Floor         int           `yaml:"budget_floor"` // a minute
}

// BreakerConfig has the fields of policy.Breaker, to which it converts.
type BreakerConfig struct {
	Failures int           `yaml:"failures"` // 0: however many there are
	Requests int           `yaml:"requests"` // 0: percent does not count
	Percent  int           `yaml:"percent"`
	Window   time.Duration `yaml:"window"`
	OpenFor  time.Duration `yaml:"open_for"`
}

// rules gives the zero value, which never breaks, where no failures count.
func (b *BreakerConfig) rules() policy.Breaker {
	if b.Failures == 0 && b.Requests == 0 {
		return policy.Breaker{}
	}
	return policy.Breaker(*b)
}

// QueueConfig lets calls wait for a limit.
type QueueConfig struct {
	MaxWait  time.Duration `yaml:"max_wait"` // 0: no call waits
	MaxDepth int           `yaml:"max_depth"`
}

// WorkspaceConfig keeps a workspace to providers of some regions, and says who keeps its objects.
type WorkspaceConfig struct {
	Name    string   `yaml:"name"`
	Regions []string `yaml:"regions"` // "" is the providers without one; not said: any
	// Keeper is the provider of the files, batches and the like that its calls make; "" where they
	// say it themselves, or there is only one.
	Keeper string `yaml:"keeper"`
}

// keepers gives the workspaces that have one.
func (c *Config) keepers() map[string]string {
	out := map[string]string{}
	for _, w := range c.Workspaces {
		if w.Keeper != "" {
			out[w.Name] = w.Keeper
		}
	}
	return out
}

// regions gives what each workspace is kept to: what is said here goes before what is stored.
func (c *Config) regions(stored []storage.Tenant) (policy.Regions, error) {
	out := policy.Regions{}
	for i := range stored {
		pinned, err := admin.RegionsOf(&stored[i])
		if err != nil {
			return nil, fmt.Errorf("workspace %q: %w", stored[i].Name, err)
		}
		if pinned != nil {
			out[stored[i].Name] = pinned
		}
	}
	for _, w := range c.Workspaces {
		if w.Regions != nil {
			out[w.Name] = w.Regions
		}
	}
	return out, nil
}

// inherit gives each provider the general retry and breaker where it says nothing of its own.
// A 0 may be said, so said tells whether a path was.
func (c *Config) inherit(said func(path string) bool) {
	for i := range c.Providers {
		p, at := &c.Providers[i], element("providers", i)
		fill(reflect.ValueOf(&p.Retry).Elem(), reflect.ValueOf(c.Retry), at+".retry", said)
		fill(reflect.ValueOf(&p.Breaker).Elem(), reflect.ValueOf(c.Breaker), at+".breaker", said)
	}
}

func fill(own, general reflect.Value, at string, said func(path string) bool) {
	for i := range own.NumField() {
		if name, ok := keyOf(own.Type().Field(i)); ok && !said(member(at, name)) {
			own.Field(i).Set(general.Field(i))
		}
	}
}

func (v *validator) routing(c *Config) {
	v.retry("retry", &c.Retry)
	v.breaker("breaker", &c.Breaker)
	for i := range c.Providers {
		p, at := &c.Providers[i], element("providers", i)
		if p.Retry != c.Retry {
			v.retry(at+".retry", &p.Retry)
		}
		if p.Breaker != c.Breaker {
			v.breaker(at+".breaker", &p.Breaker)
		}
	}
	if c.Queue.MaxWait < 0 || c.Queue.MaxWait > time.Minute {
		v.wrong("queue.max_wait", "must be from 0s, where no call waits, to 1m, which clients wait for")
	}
	if c.Queue.MaxDepth < 1 {
		v.wrong("queue.max_depth", "must be at least 1; with max_wait: 0s no call waits")
	}
	v.cache(c)
	v.workspaces(c)
}

func (v *validator) cache(c *Config) {
	if c.Cache.Redis && c.Storage.Redis.Empty() {
		v.wrong("cache.redis", "is set, and storage.redis is empty")
	}
	if c.Cache.MaxReply < 1 {
		v.wrong("cache.max_reply", "must be at least 1 byte; what is not to be kept is not asked for by keys and aliases")
	}
	for i := range c.Aliases {
		if a := &c.Aliases[i]; a.Cache < 0 {
			v.wrong("aliases."+a.Name+".cache", "is negative")
		}
	}
}

func (v *validator) retry(at string, r *RetryConfig) {
	const most = 10
	if r.Max < 0 || r.Max > most {
		v.wrong(at+".max", "must be from 0, which is never, to %d", most)
	}
	if r.Backoff < 0 || r.AfterMax < 0 {
		v.wrong(at, "a wait is negative")
	}
	if r.MaxBackoff < r.Backoff {
		v.wrong(at+".max_backoff", "is less than backoff, %s", r.Backoff)
	}
	if r.BudgetPercent < 0 || r.BudgetPercent > 100 {
		v.wrong(at+".budget_percent", "must be from 0 to 100 retries for a hundred calls")
	}
	if r.Floor < 0 {
		v.wrong(at+".budget_floor", "is negative")
	}
}

func (v *validator) breaker(at string, b *BreakerConfig) {
	if b.Failures < 0 || b.Requests < 0 {
		v.wrong(at, "failures or requests is negative; with 0 of both nothing breaks")
	}
	if b.Requests > 0 && (b.Percent < 1 || b.Percent > 100) {
		v.wrong(at+".percent", "must be from 1 to 100")
	}
	if b.Window < time.Second {
		v.wrong(at+".window", "must be at least 1s")
	}
	if b.OpenFor < time.Second {
		v.wrong(at+".open_for", "must be at least 1s")
	}
}

func (v *validator) workspaces(c *Config) {
	seen := map[string]string{}
	var known []string
	for i := range c.Providers {
		if r := c.Providers[i].Region; !slices.Contains(known, r) {
			known = append(known, r)
		}
	}
	for i := range c.Workspaces {
		w, at := &c.Workspaces[i], element("workspaces", i)
		v.name(at+".name", w.Name, "workspace", seen)
		if err := storage.CheckName("workspace", w.Name); w.Name != "" && err != nil {
			v.wrong(at+".name", "%s", err)
		}
		if names := c.providerNames(); w.Keeper != "" && !slices.Contains(names, w.Keeper) && w.Keeper != mockName+"/gpt" {
			v.wrong(at+".keeper", "no provider %q is configured%s", w.Keeper, hint(w.Keeper, names))
		}
		if w.Regions != nil && len(w.Regions) == 0 {
			v.wrong(at+".regions", "is empty, so that the workspace may use nothing; leave it out for every region")
		}
		for n, region := range w.Regions {
			if !slices.Contains(known, region) {
				said := slices.DeleteFunc(slices.Clone(known), func(r string) bool { return r == "" })
				v.wrong(element(at+".regions", n), "no provider has the region %q%s", region, hint(region, said))
			}
		}
	}
}

// sticky holds a word for stickiness.
func (v *validator) sticky(path, word string) {
	if word != "" {
		v.word(path, word, string(policy.StickySession), string(policy.StickyPrefix))
	}
}

// strategies lists them as the configuration names them.
func strategies() []string {
	var out []string
	for _, s := range policy.Strategies() {
		out = append(out, string(s))
	}
	return out
}

// sharedOut notes weights that stand at some of several places and not at others.
func (v *validator) sharedOut(at, what string, weights []int) (weighted bool) {
	said := 0
	for i, w := range weights {
		if w != 0 {
			said++
		}
		if w < 0 || w > 1_000_000 {
			v.wrong(element(at, i)+".weight", "must be from 1 to 1000000")
		}
	}
	if said > 0 && said < len(weights) {
		v.wrong(at, "some %s have a weight and some have none; give one to each, or to none", what)
	}
	return said > 0
}

// redis looks at the URL's form. It may hold a password: nothing of it is shown.
func (v *validator) redis(s *StorageConfig) {
	if !s.Redis.Empty() && !isServer(s.Redis, "redis", "rediss") {
		v.wrong("storage.redis", "is not a URL such as redis://user@host:6379/0, or rediss:// for TLS")
	}
	v.word("storage.redis_mode", s.RedisMode, redisLocal, redisDeny, redisAllow)
}

// The ways without Redis.
const (
	redisLocal = "local"
	redisDeny  = "deny"
	redisAllow = "allow"
)
