package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// PriceList is what a public list says that models cost.
type PriceList struct {
	Format string // "litellm" or "models.dev"
	// Where the list says so, what it is of: its commit and date.
	From, Commit, Date, Licence string
	// Prices are sorted. From is the release of the model where the list knows it, else zero; no
	// price has an id, as it is not known yet from when it is to hold.
	Prices  []storage.Price
	Skipped []Skipped
}

// Skipped is a model of a list that no price was made of, and why.
type Skipped struct{ Provider, Model, Why string }

// ReadPriceList reads one of the two public formats, recognised by its shape: litellm's map of
// models, in USD a token, and models.dev's, in USD a million tokens, as one list of models or as
// its api.json has them, by provider.
//
// A list's 0 mostly means that a figure does not apply: it is read as not known, but where the
// model is free as a whole, or makes no output (embeddings).
func ReadPriceList(text []byte) (*PriceList, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, fmt.Errorf("price list: no JSON object: %w", err)
	}
	var list *PriceList
	var err error
	switch {
	case members["models"].Kind() == '[':
		list, err = readModelsDev(text)
	case someHas(members, "models"):
		list, err = readModelsDevAPI(members)
	case someHas(members, "litellm_provider"):
		list = readLiteLLM(members)
	default:
		err = errors.New("want litellm's model_prices_and_context_window.json, or models.dev's api.json")
	}
	if err != nil {
		return nil, fmt.Errorf("price list: %w", err)
	}
	slices.SortFunc(list.Prices, ComparePrices)
	slices.SortFunc(list.Skipped, func(a, b Skipped) int {
		return strings.Compare(a.Provider+"/"+a.Model, b.Provider+"/"+b.Model)
	})
	return list, nil
}

// someHas reports whether a member is an object with a member of the name.
func someHas(members map[string]jsontext.Value, name string) bool {
	for _, value := range members {
		var inner map[string]jsontext.Value
		if value.Kind() == '{' && json.Unmarshal(value, &inner) == nil && inner[name].Kind() != 0 {
			return true
		}
	}
	return false
}

// add tidies a price and takes it in, or says why not.
func (l *PriceList) add(p storage.Price) {
	why := ""
	switch err := tidy(&p); {
	case err != nil:
		why = err.Error()
	default:
		if err := p.Check(); err != nil {
			why = err.Error()
		}
	}
	if why != "" {
		l.skip(p.Provider, p.Model, why)
		return
	}
	l.Prices = append(l.Prices, p)
}

func (l *PriceList) skip(provider, model, why string) {
	l.Skipped = append(l.Skipped, Skipped{provider, model, why})
}

// listed maps the lists' names of providers to ours.
func listed(name string) (provider string, ok bool) {
	switch name {
	case "text-completion-openai":
		return "openai", true
	case "google", "vertex_ai-language-models", "vertex_ai-embedding-models":
		return "gemini", true
	case "togetherai", "together_ai":
		return "together", true
	case "amazon-bedrock":
		return "bedrock", true
	case "google-vertex", "google-vertex-anthropic":
		return "vertex", true
	case "fireworks-ai", "fireworks_ai":
		return "fireworks", true
	}
	return name, slices.Contains(Names(), name)
}

var (
	errNoFigure = errors.New("no price is given")
	errNoInput  = errors.New("no price of input is given")
	errZero     = errors.New("0 for all: free, or not known")
)

// tidy makes of a list's figures what they mean.
func tidy(p *storage.Price) error {
	if len(p.Rates) == 0 {
		return errNoFigure
	}
	standard := &p.Rates[0]
	if allZero(standard) {
		if !free(p) {
			return errZero
		}
		return nil
	}
	for i := range p.Rates {
		tidyRate(&p.Rates[i], strings.Contains(strings.ToLower(p.Model), "embed"))
	}
	if standard.Input == nil && standard.Output == nil && !units(standard) {
		return errNoFigure
	}
	if standard.Input == nil && standard.Output != nil {
		return errNoInput
	}
	// A tier without the prices that make the most of a call is a slip of the list.
	p.Rates = slices.DeleteFunc(p.Rates, func(r storage.Rate) bool {
		return (r.Input == nil) != (standard.Input == nil) || (r.Output == nil) != (standard.Output == nil)
	})
	slices.SortFunc(p.Rates, compareRates)
	SpreadUnits(p)
	return nil
}

// SpreadUnits gives all rates the standard rate's prices by the piece, where they have none: a
// search costs the same in every tier.
func SpreadUnits(p *storage.Price) {
	for i := range p.Rates[1:] {
		for _, f := range p.Rates[0].Figures() {
			if own := &p.Rates[i+1]; f.Each && own.Value(f.Name) == nil && *f.Nano != nil {
				n := **f.Nano
				own.Set(f.Name, &n)
			}
		}
	}
}

func compareRates(a, b storage.Rate) int {
	if c := strings.Compare(a.Tier, b.Tier); c != 0 {
		return c
	}
	return int(a.Over - b.Over)
}

// free reports whether the model's own name says that it costs nothing.
func free(p *storage.Price) bool {
	return p.Provider == "openrouter" && (strings.HasSuffix(p.Model, ":free") || p.Model == "openrouter/free")
}

func allZero(r *storage.Rate) bool {
	for _, f := range r.Figures() {
		if *f.Nano != nil && **f.Nano != 0 {
			return false
		}
	}
	return true
}

func units(r *storage.Rate) bool {
	return slices.ContainsFunc(r.Figures(), func(f storage.Figure) bool { return f.Each && *f.Nano != nil })
}

func tidyRate(r *storage.Rate, embeds bool) {
	for _, f := range r.Figures() {
		if *f.Nano != nil && **f.Nano == 0 && !(embeds && f.Name == "output") {
			*f.Nano = nil
		}
	}
	if embeds && r.Input != nil && r.Output == nil {
		r.Output = new(int64)
	}
	// A read that costs more than no cache, and a write that costs less than plain input, are
	// figures of something else: Gemini's storage by the hour stands where writes do.
	if r.Input != nil {
		forget(&r.CacheRead, r.CacheRead != nil && *r.CacheRead > *r.Input)
		forget(&r.CacheWrite5m, r.CacheWrite5m != nil && *r.CacheWrite5m < *r.Input)
		forget(&r.CacheWrite1h, r.CacheWrite1h != nil && *r.CacheWrite1h < *r.Input)
	} else {
		r.CacheRead, r.CacheWrite5m, r.CacheWrite1h = nil, nil, nil
	}
	forget(&r.Reasoning, r.Reasoning != nil && r.Output != nil && *r.Reasoning == *r.Output)
}

func forget(figure **int64, when bool) {
	if when {
		*figure = nil
	}
}

// rateOf gives the rate of a tier and a length, made where there is none yet.
func rateOf(p *storage.Price, tier string, over int64) *storage.Rate {
	for i := range p.Rates {
		if p.Rates[i].Tier == tier && p.Rates[i].Over == over {
			return &p.Rates[i]
		}
	}
	p.Rates = append(p.Rates, storage.Rate{Tier: tier, Over: over})
	return &p.Rates[len(p.Rates)-1]
}

// nanoOf reads a figure of a list: shift 9 for USD, 15 for USD a token that becomes USD a
// million. Lists are printed from binary floating point, so what is finer than a nano-USD is
// rounded.
func nanoOf(value jsontext.Value, shift int) (*int64, bool) {
	if value.Kind() != '0' {
		return nil, false
	}
	n, _, err := storage.ParseDecimal(string(value), shift)
	return &n, err == nil
}
