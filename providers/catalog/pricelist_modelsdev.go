package catalog

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// devModel is a model of models.dev's, as far as prices go.
type devModel struct {
	Provider     string   `json:"provider"`
	Model        string   `json:"model"`
	ID           string   `json:"id"` // in its api.json
	Released     string   `json:"release_date"`
	Cost         *devCost `json:"cost"`
	Experimental struct {
		Modes map[string]devMode `json:"modes"`
	} `json:"experimental"`
}

// devCost is in USD a million tokens.
type devCost struct {
	Input       jsontext.Value `json:"input"`
	Output      jsontext.Value `json:"output"`
	Reasoning   jsontext.Value `json:"reasoning"`
	CacheRead   jsontext.Value `json:"cache_read"`
	CachedInput jsontext.Value `json:"cached_input"` // as some write it
	CacheWrite  jsontext.Value `json:"cache_write"`
	AudioIn     jsontext.Value `json:"input_audio"`
	AudioOut    jsontext.Value `json:"output_audio"`
	Citation    jsontext.Value `json:"citation"`
	Request     jsontext.Value `json:"request"`
	Tiers       []devTier      `json:"tiers"`
	Over200k    *devCost       `json:"context_over_200k"`
}

type devTier struct {
	Tier struct {
		Type string `json:"type"`
		Size int64  `json:"size"`
	} `json:"tier"`
	devCost
}

// devMode is another price for the same model, and what asks for it.
type devMode struct {
	Cost     *devCost `json:"cost"`
	Provider struct {
		Body struct {
			Tier  string `json:"service_tier"`
			Speed string `json:"speed"`
		} `json:"body"`
	} `json:"provider"`
}

func readModelsDev(text []byte) (*PriceList, error) {
	var file struct {
		Source  string     `json:"source"`
		Commit  string     `json:"commit"`
		Date    string     `json:"date"`
		Licence string     `json:"licence"`
		Models  []devModel `json:"models"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("models.dev's list: %w", err)
	}
	list := &PriceList{Format: "models.dev", From: file.Source, Commit: file.Commit, Date: file.Date, Licence: file.Licence}
	for i := range file.Models {
		m := &file.Models[i]
		list.addDev(m.Provider, m.Model, m)
	}
	return list, nil
}

func readModelsDevAPI(members map[string]jsontext.Value) (*PriceList, error) {
	list := &PriceList{Format: "models.dev"}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var provider struct {
			Models map[string]devModel `json:"models"`
		}
		if err := json.Unmarshal(members[name], &provider); err != nil {
			return nil, fmt.Errorf("models.dev's %s: %w", name, err)
		}
		for _, id := range slices.Sorted(maps.Keys(provider.Models)) {
			m := provider.Models[id]
			list.addDev(name, id, &m)
		}
	}
	return list, nil
}

func (l *PriceList) addDev(name, id string, m *devModel) {
	provider, ok := listed(name)
	switch {
	case !ok:
		l.skip(name, id, "the provider is not known here")
	case m.Cost == nil:
		l.skip(provider, id, "no price is given")
	case m.Cost.Citation.Kind() != 0 || m.Cost.Request.Kind() != 0:
		l.skip(provider, id, "charges for citations or requests, in a unit that is not said")
	default:
		l.add(devPrice(provider, id, m))
	}
}

func devPrice(provider, id string, m *devModel) storage.Price {
	p := storage.Price{Provider: provider, Model: id, From: released(m.Released), Source: "models.dev"}
	if p.From.IsZero() {
		p.From = dateIn(id)
	}
	m.Cost.fill(&p, "", 0)
	if m.Cost.Over200k != nil {
		m.Cost.Over200k.fill(&p, "", 200_000)
	}
	for i := range m.Cost.Tiers {
		if t := &m.Cost.Tiers[i]; (t.Tier.Type == "" || t.Tier.Type == "context") && t.Tier.Size > 0 {
			t.fill(&p, "", t.Tier.Size)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Experimental.Modes)) {
		mode := m.Experimental.Modes[name]
		tier, known := Tier(provider, mode.Provider.Body.Tier)
		if mode.Provider.Body.Speed != "" {
			tier, known = Tier(provider, mode.Provider.Body.Speed)
		}
		if mode.Cost != nil && known && tier != "" {
			mode.Cost.fill(&p, tier, 0)
		}
	}
	return p
}

func (c *devCost) fill(p *storage.Price, tier string, over int64) {
	for _, f := range [...]struct {
		name  string
		value jsontext.Value
	}{
		{"input", c.Input}, {"output", c.Output}, {"reasoning", c.Reasoning}, {"cache_read", c.CachedInput}, {"cache_read", c.CacheRead},
		{"cache_write_5m", c.CacheWrite}, {"audio_in", c.AudioIn}, {"audio_out", c.AudioOut},
	} {
		if n, ok := nanoOf(f.value, 9); ok {
			rateOf(p, tier, over).Set(f.name, n)
		}
	}
}

// released reads a date, YYYY-MM-DD or YYYY-MM, the zero time where it is none.
func released(text string) time.Time {
	for _, layout := range [...]string{time.DateOnly, "2006-01"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}
