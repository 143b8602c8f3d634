package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

func figure(t *testing.T, id string, r *storage.Rate, name string) int64 {
	t.Helper()
	p := r.Figure(name)
	if p == nil || *p == nil {
		t.Errorf("%s: %s %s is not known", id, r.Name(), name)
		return 0
	}
	return **p
}

func priceOf(t *testing.T, provider, model string) *storage.Price {
	t.Helper()
	for _, p := range Prices() {
		if p.Provider == provider && p.Model == model {
			return &p
		}
	}
	t.Fatalf("%s/%s has no price", provider, model)
	return nil
}

// The figures that the design's price catalogue is to be checked by.
func TestPrices_golden(t *testing.T) {
	f := func(provider, model, tier string, over int64, want map[string]string) {
		t.Helper()
		p := priceOf(t, provider, model)
		i := slices.IndexFunc(p.Rates, func(r storage.Rate) bool { return r.Tier == tier && r.Over == over })
		if i < 0 {
			t.Errorf("%s has no rate %s over %d", p.ID, tier, over)
			return
		}
		for name, usd := range want {
			if got := storage.FormatUSD(figure(t, p.ID, &p.Rates[i], name)); got != usd {
				t.Errorf("%s: %s %s is %s, want %s", p.ID, p.Rates[i].Name(), name, got, usd)
			}
		}
	}
	type usd = map[string]string
	f("anthropic", "claude-sonnet-4-5", "", 0, usd{
		"input": "3", "output": "15", "cache_read": "0.3", "cache_write_5m": "3.75", "cache_write_1h": "6", "search": "0.01",
	})
	f("anthropic", "claude-sonnet-4-5", "", 200_000, usd{
		"input": "6", "output": "22.5", "cache_read": "0.6", "cache_write_5m": "7.5", "cache_write_1h": "12", "search": "0.01",
	})
	f("anthropic", "claude-opus-4-6", "fast", 0, usd{"input": "30", "output": "150", "cache_read": "3", "cache_write_5m": "37.5", "cache_write_1h": "60"})
	f("anthropic", "claude-opus-4-8", "fast", 0, usd{"input": "10", "output": "50", "cache_write_1h": "20"})
	f("anthropic", "claude-3-haiku-20240307", "", 0, usd{"cache_write_1h": "0.5"}) // litellm says 6
	f("openai", "gpt-5", "", 0, usd{"input": "1.25", "output": "10", "cache_read": "0.125"})
	f("openai", "gpt-5", "flex", 0, usd{"input": "0.625", "output": "5", "cache_read": "0.0625"})
	f("openai", "gpt-5", "priority", 0, usd{"input": "2.5", "output": "20", "cache_read": "0.25"})
	f("openai", "gpt-5.4", "", 272_000, usd{"input": "5", "output": "22.5", "cache_read": "0.5"})
	f("openai", "gpt-5.4", "flex", 272_000, usd{"input": "2.5", "output": "11.25"})
	f("openai", "gpt-5.5", "priority", 0, usd{"input": "12.5", "output": "75"})
	f("openai", "gpt-4o-audio-preview", "", 0, usd{"input": "2.5", "output": "10", "audio_in": "40", "audio_out": "80"})
	f("gemini", "gemini-3-pro-preview", "priority", 200_000, usd{"input": "7.2", "output": "32.4", "cache_read": "0.72"})
	f("gemini", "gemini-2.5-flash", "", 0, usd{"input": "0.3", "output": "2.5", "audio_in": "1", "search": "0.035"})
	f("groq", "llama-3.3-70b-versatile", "flex", 0, usd{"input": "0.59", "output": "0.79"})
	f("xai", "grok-4-0709", "", 128_000, usd{"input": "6", "output": "30"})
	f("openrouter", "openai/gpt-oss-20b:free", "", 0, usd{"input": "0", "output": "0"})

	// What is sold by other things than tokens.
	f("openai", "tts-1", "", 0, usd{"character": "0.000015"})
	f("openai", "tts-1-hd", "", 0, usd{"character": "0.00003"})
	f("openai", "gpt-4o-mini-tts", "", 0, usd{"input": "0.6", "output": "12", "hour_out": "0.9"})
	f("openai", "whisper-1", "", 0, usd{"hour_in": "0.36"}) // 0.006 a minute
	f("openai", "dall-e-2", "", 0, usd{"image": "0.02", "image 256x256": "0.016", "image 512x512": "0.018"})
	f("openai", "dall-e-3", "", 0, usd{"image": "0.04", "image 1024x1792": "0.08", "image hd": "0.08", "image 1792x1024/hd": "0.12"})
	f("openai", "gpt-image-1", "", 0, usd{"input": "5", "image_in": "10", "image_out": "40"})
	f("groq", "whisper-large-v3", "", 0, usd{"hour_in": "0.111"})
	f("groq", "whisper-large-v3-turbo", "", 0, usd{"hour_in": "0.04"})
	f("gemini", "imagen-4.0-generate-001", "", 0, usd{"image": "0.04"})
	if least := priceOf(t, "groq", "whisper-large-v3-turbo").Rates[0].MinSeconds; least != 10 {
		t.Errorf("Groq bills %d seconds at least, want 10", least)
	}

	if got := priceOf(t, "openai", "gpt-5.4").Regions["eu"]; got != 1100 {
		t.Errorf("gpt-5.4 in the EU costs %d thousandths, want 1100", got)
	}
	if p := priceOf(t, "openai", "gpt-3.5-turbo"); p.Rates[0].CacheRead != nil {
		t.Error("gpt-3.5-turbo caches nothing: its list's 0 is no price")
	}
}

// Every price of the embedded file must be well-formed and likely, since nothing checks it at
// run time.
func TestPricesFile(t *testing.T) {
	ids, names := map[string]bool{}, map[string]bool{}
	for _, p := range Prices() {
		name := p.Provider + "/" + p.Model + "@" + p.From.String()
		switch err := p.Check(); {
		case err != nil:
			t.Error(err)
			continue
		case p.ID != p.MakeID():
			t.Errorf("%s is not the id of its content", p.ID)
		case ids[p.ID] || names[name]:
			t.Errorf("%s stands twice", p.ID)
		case p.Source == "" || p.Provider != mockName && (p.Checked == "" || p.From.IsZero()):
			t.Errorf("%s has no source or date", p.ID)
		}
		ids[p.ID], names[name] = true, true
		for i := range p.Rates {
			checkLikely(t, &p, &p.Rates[i])
		}
	}
	if len(ids) < 500 {
		t.Errorf("only %d prices", len(ids))
	}
}

// cheapOutput tells the models whose output costs less than their input, which is otherwise a
// figure in the wrong place.
func cheapOutput(p *storage.Price) bool {
	return p.Provider == "openrouter" && p.Model == "openai/gpt-5-image-mini" // pictures cost more there, and are told apart
}

func checkLikely(t *testing.T, p *storage.Price, r *storage.Rate) {
	t.Helper()
	standard := &p.Rates[0]
	below := func(a, b *int64) bool { return a != nil && b != nil && *a < *b }
	embeds := r.Output != nil && *r.Output == 0
	switch {
	case below(r.Input, r.CacheRead):
		t.Errorf("%s: %s: a cached token costs more than another", p.ID, r.Name())
	case below(r.CacheWrite5m, r.Input) || below(r.CacheWrite1h, r.CacheWrite5m):
		t.Errorf("%s: %s: a longer cached token costs less", p.ID, r.Name())
	case below(r.Output, r.Input) && !embeds && !cheapOutput(p):
		t.Errorf("%s: %s: output costs less than input", p.ID, r.Name())
	case (r.Input == nil) != (standard.Input == nil) || (r.Output == nil) != (standard.Output == nil):
		t.Errorf("%s: %s is not complete", p.ID, r.Name())
	case r.Over > 0 && below(r.Input, rateIn(p, r.Tier).Input):
		t.Errorf("%s: %s: long input costs less", p.ID, r.Name())
	case (r.Tier == "batch" || r.Tier == "flex") && below(rateOver(p, r.Over).Input, r.Input):
		t.Errorf("%s: %s costs more than the standard tier", p.ID, r.Name())
	case (r.Tier == "priority" || r.Tier == "fast") && below(r.Input, rateOver(p, r.Over).Input):
		t.Errorf("%s: %s costs less than the standard tier", p.ID, r.Name())
	}
	for _, f := range r.Figures() {
		if f.Each && *f.Nano == nil && *standard.Figure(f.Name) != nil {
			t.Errorf("%s: %s lacks %s, which the standard rate has", p.ID, r.Name(), f.Name)
		}
	}
	if _, known := Tier(p.Provider, r.Tier); !known {
		t.Errorf("%s: no provider's word is tier %s", p.ID, r.Tier)
	}
	if p.Provider == "anthropic" {
		checkCacheFactors(t, p, r)
	}
}

func rateIn(p *storage.Price, tier string) *storage.Rate {
	for i := range p.Rates {
		if p.Rates[i].Tier == tier && p.Rates[i].Over == 0 {
			return &p.Rates[i]
		}
	}
	return &storage.Rate{}
}

// rateOver gives the standard rate for a length.
func rateOver(p *storage.Price, over int64) *storage.Rate {
	for i := range p.Rates {
		if p.Rates[i].Tier == "" && p.Rates[i].Over == over {
			return &p.Rates[i]
		}
	}
	return &storage.Rate{}
}

// Anthropic's caches cost fixed multiples of the input; only the first Haiku's were rounded.
func checkCacheFactors(t *testing.T, p *storage.Price, r *storage.Rate) {
	t.Helper()
	input := figure(t, p.ID, r, "input")
	rounded := strings.HasPrefix(p.Model, "claude-3-haiku")
	if got := figure(t, p.ID, r, "cache_write_5m"); got*4 != input*5 && !rounded {
		t.Errorf("%s: %s: 5-minute writes cost %d, want 1.25 times %d", p.ID, r.Name(), got, input)
	}
	if got := figure(t, p.ID, r, "cache_write_1h"); got != input*2 {
		t.Errorf("%s: %s: 1-hour writes cost %d, want twice %d", p.ID, r.Name(), got, input)
	}
	if got := figure(t, p.ID, r, "cache_read"); got*10 != input && !rounded {
		t.Errorf("%s: %s: cached tokens cost %d, want a tenth of %d", p.ID, r.Name(), got, input)
	}
}

// Every model that the catalogue knows of the first providers is priced, or there is a reason.
func TestPrices_models(t *testing.T) {
	unpriced := map[string]string{
		"gemini/gemini-flash-latest":        "a name that moves on to newer models, at other prices",
		"gemini/gemini-flash-lite-latest":   "a name that moves on to newer models, at other prices",
		"gemini/gemma-4-26b-a4b-it":         "no list has a price",
		"gemini/gemma-4-31b-it":             "no list has a price",
		"groq/groq/compound":                "charged as the models that it calls, which its usage names",
		"groq/groq/compound-mini":           "charged as the models that it calls, which its usage names",
		"huggingface/zai-org/GLM-4.7-Flash": "its list says 0",
	}
	known := map[string]bool{}
	for _, p := range Prices() {
		known[p.Provider+"/"+p.Model] = true
	}
	priced := func(m *Model) bool {
		return slices.ContainsFunc(Candidates(m.Provider, m.ID), func(name string) bool { return known[m.Provider+"/"+name] })
	}
	for i := range stock().models {
		m := &stock().models[i]
		name := m.Provider + "/" + m.ID
		switch _, excused := unpriced[name]; {
		case !priced(m) && !excused:
			t.Errorf("%s has no price, and no reason why not", name)
		case priced(m) && excused:
			t.Errorf("%s has a price: take it off the list of exceptions", name)
		}
		delete(unpriced, name)
	}
	for name := range unpriced {
		t.Errorf("%s is no model of the catalogue", name)
	}
}

// A source that a price names is one that the file describes, or an address.
func TestPrices_sources(t *testing.T) {
	for _, p := range Prices() {
		if p.Provider == mockName {
			continue
		}
		for _, part := range strings.Split(p.Source, "; ") {
			name, _, _ := strings.Cut(part, ": ")
			described := strings.Contains(string(pricesJSON), `"name":"`+name+`"`)
			address := strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "docs.perplexity.ai") || strings.HasPrefix(name, "BerriAI/litellm@")
			if !described && !address {
				t.Errorf("%s names the source %q, which is not described", p.ID, name)
			}
		}
	}
}
