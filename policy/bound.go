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
	NoOutput         bool // embeddings
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
	var d dearest
	for i := range p.Rates {
		if rate := &p.Rates[i]; r.reaches(rate) {
			d.note(rate)
		}
	}
	if why := d.lacking(&r); why != "" {
		return Upper{Unpriced: why}
	}
	sum := product(max(0, r.Input), d.input)
	for _, unit := range [...]struct{ n, rate int64 }{{1, d.request}, {r.Searches, d.search}, {r.Images, d.image}} {
		cost := product(max(0, unit.n), unit.rate)
		cost.times(million)
		sum.add(cost)
	}
	factor, ok := p.Regions[r.Region]
	if !ok {
		factor = 1000
	}
	sum.times(factor)
	output := product(d.output, max(0, factor))
	return Upper{Fixed: sum.nanoUp(), PerMillion: output.over(1000)}
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

// dearest are the highest figures of some rates.
type dearest struct {
	any, hasInput, hasOutput, hasSearch, hasImage bool
	input, output, request, search, image         int64
}

func (d *dearest) note(r *storage.Rate) {
	d.any = true
	d.hasInput = d.hasInput || r.Input != nil
	d.hasOutput = d.hasOutput || r.Output != nil
	d.hasSearch = d.hasSearch || r.Search != nil
	d.hasImage = d.hasImage || r.Image != nil
	for _, figure := range [...]*int64{r.Input, r.CacheRead, r.CacheWrite5m, r.CacheWrite1h, r.AudioIn, r.AudioCacheRead, r.ImageIn} {
		d.input = higher(d.input, figure)
	}
	for _, figure := range [...]*int64{r.Output, r.Reasoning, r.AudioOut, r.ImageOut} {
		d.output = higher(d.output, figure)
	}
	d.request = higher(d.request, r.Request)
	d.search = higher(d.search, r.Search)
	d.image = higher(d.image, r.Image)
}

func higher(n int64, figure *int64) int64 {
	if figure == nil {
		return n
	}
	return max(n, *figure)
}

func (d *dearest) lacking(r *Reach) string {
	switch {
	case !d.any:
		return UnpricedModel
	case !d.hasInput && r.Input > 0:
		return UnpricedInput
	case !d.hasOutput && !r.NoOutput:
		return UnpricedOutput
	case !d.hasSearch && r.Searches > 0:
		return UnpricedSearch
	case !d.hasImage && r.Images > 0:
		return UnpricedImage
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
