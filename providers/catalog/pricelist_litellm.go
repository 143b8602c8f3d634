package catalog

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/storage"
)

// litellmFigure maps a member of litellm's, without what narrows it, to a figure. What it has
// beside these (seconds of video, pixels, storage) is nothing that the gateway counts.
//
// input_cost_per_image and its kind stand beside token prices for the same picture: a second
// way to count, which would charge it twice.
func litellmFigure(name string) (figure string, shift int) {
	const token, unit = 15, 9
	switch name {
	case "input_cost_per_token":
		return "input", token
	case "output_cost_per_token":
		return "output", token
	case "cache_read_input_token_cost":
		return "cache_read", token
	case "cache_creation_input_token_cost":
		return "cache_write_5m", token
	case "cache_creation_input_token_cost_above_1hr":
		return "cache_write_1h", token
	case "output_cost_per_reasoning_token":
		return "reasoning", token
	case "input_cost_per_audio_token":
		return "audio_in", token
	case "cache_read_input_audio_token_cost":
		return "audio_cache_read", token
	case "output_cost_per_audio_token":
		return "audio_out", token
	case "input_cost_per_image_token":
		return "image_in", token
	case "output_cost_per_image_token":
		return "image_out", token
	case "input_cost_per_request":
		return "request", unit
	}
	return "", 0
}

// litellmAbove is the length of input that a member is for.
var litellmAbove = regexp.MustCompile(`_above_([0-9]+)k_tokens`)

// litellmRate splits a member's name into the rate it is of and the plain name: of
// cache_read_input_token_cost_above_200k_tokens_priority, the words may come in any order.
func litellmRate(name string) (plain, tier string, over int64) {
	plain = name
	for _, t := range [...]string{"priority", "flex", "batches"} {
		if before, after, ok := strings.Cut(plain, "_"+t); ok && (after == "" || after[0] == '_') {
			plain, tier = before+after, t
		}
	}
	if m := litellmAbove.FindStringSubmatchIndex(plain); m != nil {
		k, err := strconv.ParseInt(plain[m[2]:m[3]], 10, 32)
		if err == nil {
			plain, over = plain[:m[0]]+plain[m[1]:], k*1000
		}
	}
	if tier == "batches" {
		tier = "batch"
	}
	return plain, tier, over
}

func readLiteLLM(members map[string]jsontext.Value) *PriceList {
	list := &PriceList{Format: "litellm"}
	seen, pictures := map[string]bool{}, litellmPictures{}
	// Longer keys first: gemini/… is the Gemini API's own price, before Vertex's of the bare name.
	keys := slices.SortedFunc(maps.Keys(members), func(a, b string) int {
		if c := strings.Count(b, "/") - strings.Count(a, "/"); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	for _, key := range keys {
		if key == "sample_spec" {
			continue // the list's own explanation
		}
		var model map[string]jsontext.Value
		if err := json.Unmarshal(members[key], &model); err != nil {
			list.skip("", key, "no JSON object")
			continue
		}
		var of string
		if err := json.Unmarshal(model["litellm_provider"], &of); err != nil {
			list.skip("", key, "no provider is named")
			continue
		}
		provider, ok := listed(of)
		id := strings.TrimPrefix(key, of+"/")
		if ok && pictures.take(provider, id, model) {
			continue
		}
		if !ok {
			list.skip(of, id, "the provider is not known here")
			continue
		}
		if name := provider + "/" + id; !seen[name] {
			seen[name] = true
			p := litellmPrice(provider, id, model)
			pictures.lay(&p)
			list.add(p)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pictures)) { // of models that the list has only so
		p := storage.Price{Source: "litellm"}
		p.Provider, p.Model, _ = strings.Cut(name, "/")
		pictures.lay(&p)
		list.add(p)
	}
	return list
}

func litellmPrice(provider, id string, model map[string]jsontext.Value) storage.Price {
	p := storage.Price{Provider: provider, Model: id, From: dateIn(id), Source: "litellm"}
	for _, name := range slices.Sorted(maps.Keys(model)) {
		plain, tier, over := litellmRate(name)
		figure, shift := litellmFigure(plain)
		if figure == "" {
			continue
		}
		if n, ok := nanoOf(model[name], shift); ok {
			rateOf(&p, tier, over).Set(figure, n)
		}
	}
	slices.SortFunc(p.Rates, compareRates)
	litellmSearch(&p, model["search_context_cost_per_query"])
	litellmUnits(&p, model)
	litellmFactors(&p, model)
	return p
}

// litellmSearch takes the price of a search. Where it depends on how much is fetched, nothing
// that the gateway counts tells how much that was, and the dearest is taken.
func litellmSearch(p *storage.Price, value jsontext.Value) {
	var sizes map[string]jsontext.Value
	if json.Unmarshal(value, &sizes) != nil || len(p.Rates) == 0 {
		return
	}
	for _, price := range sizes {
		n, ok := nanoOf(price, 9)
		if ok && (p.Rates[0].Search == nil || *n > *p.Rates[0].Search) {
			p.Rates[0].Search = n
		}
	}
}

// litellmFactors takes what multiplies a whole price: regions, and Anthropic's fast mode.
func litellmFactors(p *storage.Price, model map[string]jsontext.Value) {
	region := func(name string, value jsontext.Value) {
		if n, _, err := storage.ParseDecimal(string(value), 3); err == nil && value.Kind() == '0' && n != 1000 {
			if p.Regions == nil {
				p.Regions = map[string]int64{}
			}
			p.Regions[name] = n
		}
	}
	const uplift = "regional_processing_uplift_multiplier_"
	for name, value := range model {
		if of, ok := strings.CutPrefix(name, uplift); ok {
			region(of, value)
		}
	}
	var special map[string]jsontext.Value
	if json.Unmarshal(model["provider_specific_entry"], &special) != nil {
		return
	}
	for name, value := range special {
		switch name {
		case "us", "eu":
			region(name, value)
		case "fast":
			if thousandths, _, err := storage.ParseDecimal(string(value), 3); err == nil {
				Multiply(p, "", "fast", thousandths)
			}
		}
	}
}

// Multiply fills a tier's rates with those of another tier, token prices times a number of
// thousandths. Figures and rates that the tier has stay as they are.
func Multiply(p *storage.Price, from, to string, thousandths int64) {
	for _, r := range slices.Clone(p.Rates) {
		if r.Tier != from {
			continue
		}
		target := rateOf(p, to, r.Over)
		for _, f := range r.Figures() {
			if *f.Nano == nil || target.Value(f.Name) != nil {
				continue
			}
			n := **f.Nano
			if !f.Each {
				n = (n*thousandths + 500) / 1000
			}
			target.Set(f.Name, &n)
		}
	}
}

// dateIn gives the date at the end of a model's name, the zero time where there is none.
func dateIn(model string) time.Time {
	for _, layout := range [...]string{"20060102", time.DateOnly} {
		if len(model) > len(layout) && model[len(model)-len(layout)-1] == '-' {
			if t, err := time.Parse(layout, model[len(model)-len(layout):]); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}
