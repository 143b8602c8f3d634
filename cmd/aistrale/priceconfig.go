package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/storage"
)

// PriceConfig is one rate of an operator's own price, in USD for a million tokens; what is
// counted by the piece, and sound by the hour, is USD for one. Figures are decimal text, since a price
// is exact; "" is not known.
type PriceConfig struct {
	Model string    `yaml:"model"` // provider/model; "*" at the end stands for any rest
	From  time.Time `yaml:"from"`  // zero: always
	Tier  string    `yaml:"tier"`  // "" standard, else batch, flex, priority, fast
	Over  int       `yaml:"over"`  // for calls whose input is longer than so many tokens

	Input          string `yaml:"input"`
	CacheRead      string `yaml:"cache_read"`
	CacheWrite5m   string `yaml:"cache_write_5m"`
	CacheWrite1h   string `yaml:"cache_write_1h"`
	Output         string `yaml:"output"`
	Reasoning      string `yaml:"reasoning"`
	AudioIn        string `yaml:"audio_in"`
	AudioCacheRead string `yaml:"audio_cache_read"`
	AudioOut       string `yaml:"audio_out"`
	ImageIn        string `yaml:"image_in"`  // tokens
	ImageOut       string `yaml:"image_out"` // tokens

	Request   string `yaml:"request"`
	Image     string `yaml:"image"`
	Search    string `yaml:"search"`
	Character string `yaml:"character"` // to be spoken
	HourIn    string `yaml:"hour_in"`   // an hour of sound that is read
	HourOut   string `yaml:"hour_out"`  // an hour of sound that is made
	Second    string `yaml:"second"`    // hour_in, by the second

	Images     map[string]string `yaml:"images"`      // an image by its size and quality: 1024x1792/hd
	MinSeconds int               `yaml:"min_seconds"` // of sound that is read, which are charged at least

	Regions map[string]string `yaml:"regions"` // factors on the whole cost
}

// priceList makes prices of the configuration's rates: those of one model from one date on are
// one price. wrong is told what is wrong with one, by its path.
func priceList(rates []PriceConfig, wrong func(path, format string, args ...any)) []storage.Price {
	type start struct {
		model string
		from  int64
	}
	var prices []storage.Price
	index, first := map[start]int{}, []string{}
	for i := range rates {
		r, at := &rates[i], element("prices", i)
		rate, ok := r.rate(at, wrong)
		if !ok {
			continue
		}
		key := start{r.Model, r.From.UnixNano()}
		n, known := index[key]
		if !known {
			n = len(prices)
			index[key], first = n, append(first, at)
			provider, model, _ := strings.Cut(r.Model, "/")
			prices = append(prices, storage.Price{Provider: provider, Model: model, From: r.From.UTC(), Source: "config"})
		}
		p := &prices[n]
		if rate.Tier == "" && rate.Over == 0 {
			p.Rates = slices.Insert(p.Rates, 0, rate)
			p.Regions = r.regions(at+".regions", wrong)
			continue
		}
		p.Rates = append(p.Rates, rate)
		if len(r.Regions) > 0 {
			wrong(at+".regions", "stands with the model's standard rate, and holds for all of its rates")
		}
	}
	for n := range prices {
		if err := prices[n].Check(); err != nil {
			wrong(first[n], "%s", err)
		}
		prices[n].ID = prices[n].MakeID()
	}
	return prices
}

// rate reads the figures as they stand, without rounding.
func (p *PriceConfig) rate(at string, wrong func(path, format string, args ...any)) (rate storage.Rate, ok bool) {
	if provider, model, found := strings.Cut(p.Model, "/"); !found || provider == "" || model == "" {
		wrong(at+".model", "%q is no model such as mine/llama", p.Model)
		return rate, false
	}
	rate.Tier, rate.Over, rate.MinSeconds, ok = p.Tier, int64(p.Over), int64(p.MinSeconds), true
	say := func(name, figure, text string) {
		if err := rate.Say(figure, text); err != nil {
			wrong(member(at, name), "%s", err)
			ok = false
		}
	}
	fields := reflect.ValueOf(p).Elem()
	for i := range fields.NumField() {
		name, _ := keyOf(fields.Type().Field(i))
		if text := fields.Field(i).String(); name == "second" && text != "" || rate.Figure(name) != nil && text != "" {
			say(name, name, text)
		}
	}
	if p.HourIn != "" && p.Second != "" {
		wrong(at+".second", "says again what hour_in says")
	}
	for _, variant := range slices.Sorted(maps.Keys(p.Images)) {
		say("images", "image "+variant, p.Images[variant])
	}
	return rate, ok
}

// regions reads factors into thousandths.
func (p *PriceConfig) regions(at string, wrong func(path, format string, args ...any)) map[string]int64 {
	if len(p.Regions) == 0 {
		return nil
	}
	factors := make(map[string]int64, len(p.Regions))
	for _, region := range slices.Sorted(maps.Keys(p.Regions)) {
		factor, exact, err := storage.ParseDecimal(p.Regions[region], 3)
		if err == nil && !exact {
			err = fmt.Errorf("%q has more than three decimals", p.Regions[region])
		}
		if err != nil {
			wrong(member(at, region), "%s", err)
			factor = 1000
		}
		factors[region] = factor
	}
	return factors
}

var priceTiers = []string{"batch", "flex", "priority", "fast"}

// prices holds an operator's prices to be readable, and to be for somebody: the price of a
// misspelt provider would never be found.
func (v *validator) prices(c *Config) {
	known := append(catalog.Names(), mockName)
	for i := range c.Providers {
		known = append(known, c.Providers[i].Name)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for i := range c.Prices {
		p, at := &c.Prices[i], element("prices", i)
		provider, _, whole := strings.Cut(p.Model, "/")
		if whole && !slices.Contains(known, provider) {
			v.wrong(at+".model", "no provider is named %q%s", provider, hint(provider, known))
		}
		if p.Tier != "" {
			v.word(at+".tier", p.Tier, priceTiers...)
		}
	}
	priceList(c.Prices, v.wrong)
	for i := range c.Providers {
		for model, as := range c.Providers[i].PriceAs {
			of, name, whole := strings.Cut(as, "/")
			switch at := member(element("providers", i)+".price_as", model); {
			case !whole || name == "" || !isModel(model):
				v.wrong(at, "%q is no model such as openai/gpt-4o", as)
			case !slices.Contains(known, of):
				v.wrong(at, "no provider is named %q%s", of, hint(of, known))
			}
		}
	}
}

// priceBook gives what calls are charged by: the configuration's prices go before those that it
// borrows, then come the store's, and then the catalogue's.
func (c *Config) priceBook(stored []storage.Price) (*policy.PriceBook, error) {
	own, err := c.priceList()
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	known := catalog.Prices()
	return policy.NewPriceBook(known, stored, c.borrowed(known, stored), own).WithKinds(c.kinds()), nil
}

// borrowed gives the prices of price_as: those of another model, under the name of one's own.
func (c *Config) borrowed(lists ...[]storage.Price) (out []storage.Price) {
	for i := range c.Providers {
		p := &c.Providers[i]
		for _, model := range slices.Sorted(maps.Keys(p.PriceAs)) {
			of, name, _ := strings.Cut(p.PriceAs[model], "/")
			for _, name := range catalog.Candidates(of, name) {
				found := len(out)
				for _, row := range slices.Concat(lists...) {
					if row.Provider == of && row.Model == name {
						row.Provider, row.Model = p.Name, model
						row.ID = row.MakeID()
						out = append(out, row)
					}
				}
				if len(out) > found {
					break
				}
			}
		}
	}
	return out
}

// priceList gives the operator's own prices.
func (c *Config) priceList() ([]storage.Price, error) {
	var errs []error
	prices := priceList(c.Prices, func(path, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
	})
	return prices, errors.Join(errs...)
}
