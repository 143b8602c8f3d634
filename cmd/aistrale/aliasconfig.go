package main

import (
	"fmt"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// AliasConfig is a public name, its targets in the order of the file, and how calls are spread
// over them. In its short form it is the targets alone.
type AliasConfig struct {
	Name       string              `yaml:"-"` // the key that it stands under
	Targets    []TargetConfig      `yaml:"targets"`
	Strategy   string              `yaml:"strategy"`    // "": ordered, or weighted where targets have weights
	Sticky     string              `yaml:"sticky"`      // session or prefix
	FallbackOn []string            `yaml:"fallback_on"` // not said: policy.DefaultReasons; empty: never
	Timeouts   AliasTimeouts       `yaml:"timeouts"`
	Defaults   []storage.Parameter `yaml:"defaults"`
	Force      []storage.Parameter `yaml:"force"`
	Hedge      HedgeConfig         `yaml:"hedge"`
	Cache      time.Duration       `yaml:"cache"` // how long answers are kept; 0: as the key says
}

// TargetConfig is where an alias leads. Once loaded, Provider and Model say it in full; an alias
// that led to another alias has that one's targets in its place.
type TargetConfig struct {
	Target   string `yaml:"target"`
	Weight   int    `yaml:"weight"` // 0 in every target of an ordered alias, at least 1 in a weighted one
	Provider string `yaml:"-"`
	Model    string `yaml:"-"`
}

// AliasTimeouts are the waits for calls of an alias; 0 is no bound of its own.
type AliasTimeouts struct {
	FirstByte time.Duration `yaml:"first_byte"`
	Total     time.Duration `yaml:"total"`
}

// HedgeConfig sends a call that is no stream to a second target where the first is slow.
type HedgeConfig struct {
	After  time.Duration `yaml:"after"`   // 0: never
	MaxUSD string        `yaml:"max_usd"` // "": whatever it costs
}

// hasRules reports whether the alias is more than its targets.
func (a *AliasConfig) hasRules() bool {
	return a.Strategy != "" || a.Sticky != "" || a.FallbackOn != nil || a.Timeouts != AliasTimeouts{} ||
		len(a.Defaults)+len(a.Force) > 0 || a.Hedge != HedgeConfig{} || a.Cache != 0
}

// alias gives it as the router knows it.
func (a *AliasConfig) alias() (*policy.Alias, error) {
	out := &policy.Alias{
		Strategy: policy.Strategy(a.Strategy), Sticky: policy.Sticky(a.Sticky),
		FirstByte: a.Timeouts.FirstByte, Total: a.Timeouts.Total,
		Parameters: storage.Parameters{Defaults: a.Defaults, Force: a.Force}, Cache: a.Cache,
	}
	for _, t := range a.Targets {
		out.Targets = append(out.Targets, policy.Target{Provider: t.Provider, Model: t.Model, Weight: t.Weight})
	}
	var err error
	if out.FallbackOn, err = policy.ParseReasons(a.FallbackOn); err != nil {
		return nil, fmt.Errorf("fallback_on: %w", err)
	}
	if a.FallbackOn != nil {
		out.FallbackOn |= 1 << policy.ReasonNone // so that an empty list is not the default one
	}
	if out.Hedge, err = a.Hedge.rules(); err != nil {
		return nil, fmt.Errorf("hedge: max_usd: %w", err)
	}
	return out, nil
}

func (h *HedgeConfig) rules() (policy.Hedge, error) {
	out := policy.Hedge{After: h.After}
	var err error
	if h.MaxUSD != "" {
		out.MaxNano, err = storage.ParseUSD(h.MaxUSD)
	}
	return out, err
}

// rules says what is wrong with an alias beside its targets.
func (v *validator) aliasRules(a *AliasConfig, at string, weighted bool) {
	if a.Strategy != "" {
		v.word(at+".strategy", a.Strategy, strategies()...)
	}
	switch {
	case weighted && a.Strategy != "" && a.Strategy != string(policy.StrategyWeighted):
		v.wrong(at+".strategy", "is %q, and the targets have weights, which only %s looks at", a.Strategy, policy.StrategyWeighted)
	case !weighted && a.Strategy == string(policy.StrategyWeighted):
		v.wrong(at+".strategy", "is %s, and the targets have no weights", policy.StrategyWeighted)
	}
	v.sticky(at+".sticky", a.Sticky)
	if _, err := policy.ParseReasons(a.FallbackOn); err != nil {
		v.wrong(at+".fallback_on", "%s", err)
	}
	if min(a.Timeouts.FirstByte, a.Timeouts.Total) < 0 {
		v.wrong(at+".timeouts", "a timeout is negative; 0 is no bound of the alias' own")
	}
	set := storage.Parameters{Defaults: a.Defaults, Force: a.Force}
	if err := set.Check(); err != nil {
		v.wrong(at, "%s", err)
	}
	v.hedge(at+".hedge", &a.Hedge)
}

func (v *validator) hedge(at string, h *HedgeConfig) {
	rules, err := h.rules()
	switch {
	case err != nil:
		v.wrong(at+".max_usd", "%s", err)
	case h.After < 0:
		v.wrong(at+".after", "is negative")
	case h.After == 0 && h.MaxUSD != "":
		v.wrong(at+".after", "is missing: without it no call is sent twice")
	case h.MaxUSD != "" && rules.MaxNano <= 0:
		v.wrong(at+".max_usd", "must be more than 0; leave it out where a second call may cost what it will")
	}
}
