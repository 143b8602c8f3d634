package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Price is what one model costs at one provider from a date on. A price that was used is never
// changed: a new one with a later date, or of a later making, supersedes it.
type Price struct {
	ID       string // <provider>/<model>@<date>#<fingerprint of the content>: equal ids are equal prices
	Provider string
	Model    string // as the upstream spells it, dated or not; "*" at the end stands for any rest
	From     time.Time
	Rates    []Rate // the standard one first
	// Regions are factors on the whole cost, in thousandths, by region ("eu": 1100).
	Regions map[string]int64
	Source  string // where the figures are from: a document, a list with its commit, "config"
	Checked string // when they were read, YYYY-MM-DD or YYYY-MM
}

// Rate is the price of one service tier, in one tier of context length. Token rates are nano-USD
// for a million tokens, unit rates nano-USD each. A nil rate is not known; what then counts in
// its place is policy's to say, and 0 is free.
type Rate struct {
	Tier string // "" standard, else batch, flex, priority, fast
	// Over is set where the rate is for calls whose input, cached tokens included, is longer
	// than so many tokens: the whole call is priced by the longest Over that it passes.
	Over int64

	Input, CacheRead, CacheWrite5m, CacheWrite1h *int64
	Output, Reasoning                            *int64
	AudioIn, AudioCacheRead, AudioOut            *int64
	ImageIn, ImageOut                            *int64 // tokens

	Request, Search *int64
	Image           *int64  // that no variant is named of
	Variants        []Image // sorted by name
	Character       *int64  // of text to be spoken
	// HourIn and HourOut are nano-USD for an hour of sound that is read and made: what is sold by
	// the minute or by the hour is no whole number of nano-USD a second.
	HourIn, HourOut *int64
	MinSeconds      int64 // of sound that is read, which a call is charged for at least
}

// Image is the price of an image by what it goes by beside the model: providers.UsageLine.Variant.
type Image struct {
	Name string
	Nano *int64
}

// Figure is one figure of a rate.
type Figure struct {
	Name string  // as files, configuration and commands name it
	Each bool    // nano-USD each; else nano-USD for a million tokens
	Nano **int64 // the rate's own field
}

// Figures lists a rate's figures, known or not, always in one order. Those of images by variant
// are named "image 1024x1792/hd", and are there where they are known.
func (r *Rate) Figures() []Figure { return slices.Collect(r.figures) }

func (r *Rate) figures(yield func(Figure) bool) {
	for _, f := range [...]Figure{
		{"input", false, &r.Input},
		{"cache_read", false, &r.CacheRead},
		{"cache_write_5m", false, &r.CacheWrite5m},
		{"cache_write_1h", false, &r.CacheWrite1h},
		{"output", false, &r.Output},
		{"reasoning", false, &r.Reasoning},
		{"audio_in", false, &r.AudioIn},
		{"audio_cache_read", false, &r.AudioCacheRead},
		{"audio_out", false, &r.AudioOut},
		{"image_in", false, &r.ImageIn},
		{"image_out", false, &r.ImageOut},
		{"request", true, &r.Request},
		{"image", true, &r.Image},
		{"search", true, &r.Search},
		{"character", true, &r.Character},
		{"hour_in", true, &r.HourIn},
		{"hour_out", true, &r.HourOut},
	} {
		if !yield(f) {
			return
		}
	}
	for i := range r.Variants {
		if !yield(Figure{ofImage + r.Variants[i].Name, true, &r.Variants[i].Nano}) {
			return
		}
	}
}

const ofImage = "image "

// CloneRates copies rates with their figures, so that either may be changed.
func CloneRates(rates []Rate) []Rate {
	out := slices.Clone(rates)
	for i := range out {
		out[i].Variants = slices.Clone(out[i].Variants)
		for _, f := range out[i].Figures() {
			if *f.Nano != nil {
				n := **f.Nano
				*f.Nano = &n
			}
		}
	}
	return out
}

// Figure gives the figure of a name; nil where the rate has none of that name.
func (r *Rate) Figure(name string) **int64 {
	for f := range r.figures {
		if f.Name == name {
			return f.Nano
		}
	}
	return nil
}

// Value is what the figure of a name is, nil where it is not known.
func (r *Rate) Value(name string) *int64 {
	if f := r.Figure(name); f != nil {
		return *f
	}
	return nil
}

// Set sets the figure of a name; false where there is no such figure.
func (r *Rate) Set(name string, nano *int64) bool {
	if f := r.Figure(name); f != nil {
		*f = nano
		return true
	}
	variant, ok := strings.CutPrefix(name, ofImage)
	if ok {
		i, _ := slices.BinarySearchFunc(r.Variants, variant, func(v Image, name string) int { return strings.Compare(v.Name, name) })
		r.Variants = slices.Insert(r.Variants, i, Image{variant, nano})
	}
	return ok
}

// ImageOf is the price of an image of a variant, nil where it is not known. Where the rate tells
// none apart, each costs the same.
func (r *Rate) ImageOf(variant string) *int64 {
	if variant == "" || len(r.Variants) == 0 {
		return r.Image
	}
	for i := range r.Variants {
		if r.Variants[i].Name == variant {
			return r.Variants[i].Nano
		}
	}
	return nil
}

// The bounds of a price. No real one is near; past them a product with a count of tokens could
// leave 128 bits, and a typing error is likely.
const (
	maxFigure = 1_000_000 * 1_000_000_000 // a million USD
	maxFactor = 10_000                    // ten times
	maxModel  = 256                       // bytes of a model's name
	maxLeast  = 24 * 60 * 60              // seconds
)

// Check says what is wrong with a price. Its errors name the model and the figure.
func (p *Price) Check() error {
	if err := checkPriced("provider", p.Provider); err != nil {
		return err
	}
	if err := checkPriced("model", p.Model); err != nil {
		return err
	}
	if at := strings.IndexByte(p.Model, '*'); at >= 0 && at < len(p.Model)-1 {
		return fmt.Errorf("price of %s: %q may stand at the end of a model only", p.name(), "*")
	}
	if len(p.Rates) == 0 || p.Rates[0].Tier != "" || p.Rates[0].Over != 0 {
		return fmt.Errorf("price of %s: the standard rate is missing or not the first", p.name())
	}
	for i := range p.Rates {
		r := &p.Rates[i]
		twin := func(o Rate) bool { return o.Tier == r.Tier && o.Over == r.Over }
		if slices.ContainsFunc(p.Rates[:i], twin) {
			return fmt.Errorf("price of %s: two rates for %s", p.name(), r.Name())
		}
		if err := r.check(); err != nil {
			return fmt.Errorf("price of %s: %w", p.name(), err)
		}
	}
	for _, region := range slices.Sorted(maps.Keys(p.Regions)) {
		if f := p.Regions[region]; region == "" || f <= 0 || f > maxFactor {
			return fmt.Errorf("price of %s: the factor of region %q must be above 0 and at most %d", p.name(), region, maxFactor/1000)
		}
	}
	return p.checkChecked()
}

func (p *Price) checkChecked() error {
	for _, layout := range [...]string{"", "2006-01", time.DateOnly} {
		if _, err := time.Parse(layout, p.Checked); err == nil {
			return nil
		}
	}
	return fmt.Errorf("price of %s: checked %q is no date like 2026-07-02", p.name(), p.Checked)
}

func (p *Price) name() string { return p.Provider + "/" + p.Model }

// checkPriced bounds what an id is made of: ids stand in lists, separated by commas.
func checkPriced(what, name string) error {
	if name == "" || len(name) > maxModel {
		return fmt.Errorf("price: the %s's name has %d bytes, want 1 to %d", what, len(name), maxModel)
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == ',' || c == '"' || c == '#' {
			return fmt.Errorf("price: the %s %q must be printable ASCII without blanks, commas, quotes and #", what, name)
		}
	}
	return nil
}

// Name says which rate it is: "standard", "priority", "standard over 200000".
func (r *Rate) Name() string {
	name := r.Tier
	if name == "" {
		name = "standard"
	}
	if r.Over > 0 {
		name += fmt.Sprintf(" over %d", r.Over)
	}
	return name
}

func (r *Rate) check() error {
	for i := range len(r.Tier) {
		if c := r.Tier[i]; (c < 'a' || c > 'z') && c != '_' {
			return fmt.Errorf("tier %q must be lower-case letters", r.Tier)
		}
	}
	if r.Over < 0 {
		return fmt.Errorf("%s: over must not be negative", r.Name())
	}
	if r.MinSeconds < 0 || r.MinSeconds > maxLeast {
		return fmt.Errorf("%s: min_seconds must be from 0 to %d", r.Name(), maxLeast)
	}
	for i := range r.Variants {
		if err := checkVariant(r.Variants[i].Name); err != nil {
			return fmt.Errorf("%s: images: %w", r.Name(), err)
		}
	}
	known := 0
	for _, f := range r.Figures() {
		if *f.Nano == nil {
			continue
		}
		known++
		if n := **f.Nano; n < 0 || n > maxFigure {
			return fmt.Errorf("%s: %s must be from 0 to %s USD", r.Name(), f.Name, FormatUSD(maxFigure))
		}
	}
	if known == 0 {
		return fmt.Errorf("%s: no figure is given", r.Name())
	}
	return nil
}

// checkVariant holds the name of a variant to what usage lines say.
func checkVariant(name string) error {
	if name == "" || len(name) > maxVariant {
		return fmt.Errorf("the name of a variant has %d bytes, want 1 to %d", len(name), maxVariant)
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '/', c == '.', c == '-', c == '_':
		default:
			return fmt.Errorf("the variant %q must be in lower-case letters, digits and slashes, such as 1024x1792/hd", name)
		}
	}
	return nil
}

// MakeID is the id that the price's content has. The source and the day of the last look at it
// are not content. A figure that a later release adds leaves the ids of prices without it alone.
func (p *Price) MakeID() string {
	text := p.From.UTC().AppendFormat(make([]byte, 0, 256), time.RFC3339Nano)
	number := func(name string, n int64) {
		text = append(append(append(text, '\n'), name...), '=')
		text = strconv.AppendInt(text, n, 10)
	}
	for i := range p.Rates {
		r := &p.Rates[i]
		text = append(append(append(text, '\n'), r.Tier...), '\n')
		text = strconv.AppendInt(text, int64(r.Over), 10)
		for f := range r.figures {
			if *f.Nano != nil {
				number(f.Name, **f.Nano)
			}
		}
		if r.MinSeconds > 0 {
			number("min_seconds", int64(r.MinSeconds))
		}
	}
	for _, region := range slices.Sorted(maps.Keys(p.Regions)) {
		text = append(append(append(text, '\n'), region...), '*')
		text = strconv.AppendInt(text, p.Regions[region], 10)
	}
	sum := sha256.Sum256(text)
	date := "always"
	if !p.From.IsZero() {
		date = p.From.UTC().Format(time.DateOnly)
	}
	return p.name() + "@" + date + "#" + hex.EncodeToString(sum[:4])
}
