package policy

import (
	"math"
	"math/bits"
	"slices"

	"github.com/aistrale/aistrale/storage"
)

// Reach is how far a call can go: every figure a true upper bound.
type Reach struct {
	Input int64 // tokens
	// Tiers are the service tiers that may serve it, as prices name them; nil: any but batch.
	Tiers            []string
	Region           string
	Searches, Images int64
	Variant          string // of the images
	NoOutput         bool   // embeddings
	// Sold by other things than tokens, a call makes Output tokens at most, and a price need not
	// have figures for tokens.
	Media                 bool
	Output                int64
	Characters            int64
	AudioInMs, AudioOutMs int64
}

// Upper is the most that a call may cost: Fixed nano-USD, and PerMillion for each million
// tokens of output.
type Upper struct {
	Fixed, PerMillion int64
	// Unpriced says why nobody knows, in the words of a Charge.
	Unpriced string
}

// UpperOf gives the most that a call may be charged by a price: whatever of its input is cached,
// written, sound or image, and whatever of its output reasoning, sound or image. nil is a model
// without a price. It holds for one usage line of the price's own model.
func UpperOf(p *storage.Price, r Reach) Upper {
	if p == nil {
		return Upper{Unpriced: UnpricedModel}
	}
	d := dearest{variant: r.Variant}
	for i := range p.Rates {
		if rate := &p.Rates[i]; r.reaches(rate) {
			d.note(rate)
		}
	}
	if why := d.lacking(&r); why != "" {
		return Upper{Unpriced: why}
	}
	var sum till
	for _, unit := range [...]struct {
		n    int64
		rate *highest
	}{{1, &d.request}, {r.Searches, &d.search}, {r.Images, &d.image}, {r.Characters, &d.character}} {
		cost := product(max(0, unit.n), unit.rate.nano)
		cost.times(million)
		sum.sum.add(cost)
	}
	if r.Media {
		d.media(&sum, &r)
	} else {
		sum.sum.add(product(max(0, r.Input), d.input.nano))
	}
	factor, ok := p.Regions[r.Region]
	if !ok {
		factor = 1000
	}
	sum.close(factor)
	if r.Media {
		return Upper{Fixed: sum.sum.nanoUp()}
	}
	output := product(d.output.nano, max(0, factor))
	return Upper{Fixed: sum.sum.nanoUp(), PerMillion: output.over(1000)}
}

func (r *Reach) reaches(rate *storage.Rate) bool {
	if rate.Over > 0 && r.Input <= rate.Over {
		return false
	}
	if r.Tiers == nil {
		return rate.Tier != "batch"
	}
	return slices.Contains(r.Tiers, rate.Tier)
}

// highest is the highest of some figures.
type highest struct {
	nano  int64
	known bool
}

func (h *highest) note(figures ...*int64) {
	for _, f := range figures {
		if f != nil {
			h.nano, h.known = max(h.nano, *f), true
		}
	}
}

// dearest are the highest figures of some rates.
type dearest struct {
	any                                        bool
	variant                                    string
	hasInput, hasOutput                        bool // for plain tokens
	input, output, request, search             highest
	image, character, hourIn, hourOut, seconds highest
}

func (d *dearest) note(r *storage.Rate) {
	d.any = true
	d.hasInput = d.hasInput || r.Input != nil
	d.hasOutput = d.hasOutput || r.Output != nil
	d.input.note(r.Input, r.CacheRead, r.CacheWrite5m, r.CacheWrite1h, r.AudioIn, r.AudioCacheRead, r.ImageIn)
	d.output.note(r.Output, r.Reasoning, r.AudioOut, r.ImageOut)
	d.request.note(r.Request)
	d.search.note(r.Search)
	d.image.note(r.ImageOf(d.variant))
	d.character.note(r.Character)
	d.hourIn.note(r.HourIn)
	d.hourOut.note(r.HourOut)
	d.seconds.note(&r.MinSeconds)
}

// media adds the tokens of a call, or the length of its sounds, as each side is charged by one of
// them: whichever is dearer.
func (d *dearest) media(sum *till, r *Reach) {
	var read int64
	if r.AudioInMs > 0 {
		read = max(r.AudioInMs, d.seconds.nano*1000)
	}
	sum.dearer(product(max(0, r.Input), d.input.nano), product(read, d.hourIn.nano))
	sum.dearer(product(max(0, r.Output), d.output.nano), product(max(0, r.AudioOutMs), d.hourOut.nano))
}

// dearer adds an amount for tokens or one for hours.
func (t *till) dearer(tokens, hours amount) {
	a, b := till{sum: tokens}, till{sound: hours}
	a.close(1)
	b.close(1)
	if a.sum.lost || a.sum.high > b.sum.high || a.sum.high == b.sum.high && a.sum.low >= b.sum.low {
		t.sum.add(tokens)
	} else {
		t.sound.add(hours)
	}
}

func (d *dearest) lacking(r *Reach) string {
	switch {
	case !d.any:
		return UnpricedModel
	case r.Media:
		return d.lackingMedia(r)
	case !d.hasInput && r.Input > 0:
		return UnpricedInput
	case !d.hasOutput && !r.NoOutput:
		return UnpricedOutput
	case !d.search.known && r.Searches > 0:
		return UnpricedSearch
	case !d.image.known && r.Images > 0:
		return UnpricedImage
	}
	return ""
}

// lackingMedia holds each side of a call to be sold by something that is known of it.
func (d *dearest) lackingMedia(r *Reach) string {
	input := d.hasInput || r.Characters > 0 && d.character.known || r.AudioInMs > 0 && d.hourIn.known
	output := r.Output > 0 && d.output.known || r.AudioOutMs > 0 && (d.hourOut.known || d.character.known)
	switch {
	case r.Images > 0 && d.image.known: // by the piece, which is all that it costs
		return ""
	case r.Images > 0 && !output:
		return UnpricedImage
	case !input && r.Characters > 0:
		return UnpricedCharacter
	case !input && r.AudioInMs > 0:
		return UnpricedSeconds
	case !input:
		return UnpricedInput
	case r.AudioOutMs > 0 && !output:
		return UnpricedSeconds
	}
	return ""
}

// nanoUp rounds up; what does not fit is the most that does.
func (a amount) nanoUp() int64 { return a.over(perNano) }

// over divides, rounded up.
func (a amount) over(n uint64) int64 {
	low, carry := bits.Add64(a.low, n-1, 0)
	high := a.high + carry
	if a.lost || high >= n {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, n)
	return int64(min(quotient, math.MaxInt64))
}
