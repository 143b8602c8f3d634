package policy

import (
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Why an attempt has no cost. A tier that is known but not priced is "no price for tier flex",
// and where its price for long inputs is missing, "no price for tier flex over 272000".
const (
	UnpricedModel        = "no price"
	UnpricedInput        = "no price for input"
	UnpricedOutput       = "no price for output"
	UnpricedCacheWrite1h = "no price for cache_write_1h"
	UnpricedImage        = "no price for image"
	UnpricedCharacter    = "no price for character"
	UnpricedSeconds      = "no price for seconds"
	UnpricedSearch       = "no price for search"
	UnpricedTier         = "unknown tier"
	UnpricedNegative     = "price below zero"
	UnpricedRange        = "cost out of range"
	UnpricedUnits        = "no usage told" // of sounds and images, in what they are sold by

	unpricedTier = "no price for tier "
)

// Called is what was called and when.
type Called struct {
	Provider, Model string
	Region          string // as the prices name it, "" none
	Time            time.Time
	Estimated       bool // the tokens are the gateway's own count
}

// Charge prices usage lines, each at its own model's price. No lines cost nothing: a served
// call has some, see Settle. Where one line cannot be priced, the whole has no cost.
func (b *PriceBook) Charge(c Called, lines []providers.Normal) storage.Charge {
	var t till
	out := storage.Charge{Estimated: c.Estimated}
	for i := range lines {
		if id := b.line(&t, &c, &lines[i]); i == 0 {
			out.PriceID = id
		} else {
			out.PriceID = joinID(out.PriceID, id)
		}
	}
	nano, ok := t.sum.nano()
	if !ok {
		t.lacks(UnpricedRange)
	}
	if out.Unpriced = t.lacking; out.Unpriced == "" {
		out.CostNano = nano
	}
	return out
}

// line adds what one line costs and names its price.
func (b *PriceBook) line(t *till, c *Called, n *providers.Normal) (id string) {
	model := n.Model
	if model == "" {
		model = c.Model
	}
	price := b.Find(c.Provider, model).At(c.Time)
	if price == nil {
		t.lacks(UnpricedModel)
		return ""
	}
	tier, ok := b.tier(c.Provider, n.Tier)
	if !ok {
		t.lacks(UnpricedTier)
		return price.ID
	}
	rate, lacking := rateOf(price, tier, n.Input())
	if rate == nil {
		t.lacks(lacking)
		return price.ID
	}
	var own till
	own.price(rate, n)
	own.units(rate, n)
	factor, ok := price.Regions[c.Region]
	if !ok {
		factor = 1000
	}
	own.close(factor)
	t.add(&own)
	return price.ID
}

// joinID puts an id into a comma-separated list, in their order, each once.
func joinID(list, id string) string {
	if list == "" || list == id {
		return id
	}
	ids := strings.Split(list, ",")
	at, found := slices.BinarySearch(ids, id)
	if found || id == "" {
		return list
	}
	return strings.Join(slices.Insert(ids, at, id), ",")
}

// rateOf chooses a price's rate: of the tier, the one of the longest input that this one passes.
// Where the standard tier has one for longer inputs that the asked one lacks, it is not known.
func rateOf(p *storage.Price, tier string, input int64) (rate *storage.Rate, lacking string) {
	var longest int64 // that the standard tier tells apart
	for i := range p.Rates {
		r := &p.Rates[i]
		if r.Over > 0 && input <= r.Over {
			continue
		}
		if r.Tier == tier && (rate == nil || r.Over > rate.Over) {
			rate = r
		}
		if r.Tier == "" {
			longest = max(longest, r.Over)
		}
	}
	switch {
	case rate == nil && tier == "":
		return nil, UnpricedModel
	case rate == nil:
		return nil, unpricedTier + tier
	case rate.Over < longest:
		return nil, unpricedTier + tier + " over " + strconv.FormatInt(longest, 10)
	}
	return rate, ""
}

// till adds up.
type till struct {
	sum     amount
	sound   amount // in nano-USD an hour, times milliseconds
	lacking string
}

// Figures are for a million tokens, or for an hour of 3.6 million milliseconds, and factors are
// thousandths. What both go into is the unit of a sum.
const (
	perToken       = 18 // a million of it are 18 million
	perMillisecond = 5  // 3.6 million of it are 18 million
	perNano        = 18_000_000 * 1000
)

// close brings a line's amounts into one unit, times a factor.
func (t *till) close(factor int64) {
	t.sum.times(perToken)
	t.sound.times(perMillisecond)
	t.sum.add(t.sound)
	t.sum.times(factor)
	t.sound = amount{}
}

// lacks notes a price that is not known; of several the first in the alphabet, so that the
// order of lines does not matter.
func (t *till) lacks(why string) {
	if t.lacking == "" || why < t.lacking {
		t.lacking = why
	}
}

func (t *till) add(other *till) {
	t.sum.add(other.sum)
	if other.lacking != "" {
		t.lacks(other.lacking)
	}
}

// price adds a line. What has no rate of its own is charged as what it is within; a cache write
// of an hour, which costs more than any other input, has no such stand-in. Tokens that are
// counted as two things (audio that was cached) are charged as one.
func (t *till) price(r *storage.Rate, n *providers.Normal) {
	uncached, cached, output := max(0, n.InputUncached), max(0, n.CacheRead), max(0, n.Output)
	audio := within(n.AudioIn, uncached)
	cachedAudio := within(n.AudioIn-audio, cached)
	image := within(n.ImageIn, uncached-audio)
	audioOut := within(n.AudioOut, output)
	imageOut := within(n.ImageOut, output-audioOut)
	reasoning := within(n.Reasoning, output-audioOut-imageOut)

	t.tokens(uncached-audio-image, r.Input, UnpricedInput)
	t.tokens(image, either(r.ImageIn, r.Input), UnpricedInput)
	t.tokens(audio, either(r.AudioIn, r.Input), UnpricedInput)
	cacheRead := either(r.CacheRead, r.Input)
	t.tokens(cached-cachedAudio, cacheRead, UnpricedInput)
	t.tokens(cachedAudio, either(r.AudioCacheRead, cacheRead), UnpricedInput)
	t.tokens(n.CacheWrite5m, either(r.CacheWrite5m, r.Input), UnpricedInput)
	t.tokens(n.CacheWrite1h, r.CacheWrite1h, UnpricedCacheWrite1h)
	t.tokens(output-audioOut-imageOut-reasoning, r.Output, UnpricedOutput)
	t.tokens(audioOut, either(r.AudioOut, r.Output), UnpricedOutput)
	t.tokens(imageOut, either(r.ImageOut, r.Output), UnpricedOutput)
	t.tokens(reasoning, either(r.Reasoning, r.Output), UnpricedOutput)

	if r.Request != nil {
		t.pieces(1, r.Request, UnpricedModel)
	}
	t.pieces(n.Searches, r.Search, UnpricedSearch)
}

// units adds what a line counts by other things than tokens. It mostly counts the same by
// several of them, of which a model is sold by one: an image by its tokens or by the piece, a
// sound by its tokens or its length, a text to be spoken by its tokens or its characters.
func (t *till) units(r *storage.Rate, n *providers.Normal) {
	if byPiece := r.Image != nil || len(r.Variants) > 0; byPiece || !sold(n.ImageOut, either(r.ImageOut, r.Output)) {
		t.pieces(n.Images, r.ImageOf(n.Variant), UnpricedImage)
	}
	if r.Character != nil || !sold(n.Input(), r.Input) {
		t.pieces(n.Characters, r.Character, UnpricedCharacter)
	}
	if !sold(n.Input(), either(r.AudioIn, r.Input)) {
		t.hours(max(n.AudioInMs, least(r, n)), r.HourIn)
	}
	if !sold(n.Output, either(r.AudioOut, r.Output)) && !sold(n.Characters, r.Character) {
		t.hours(n.AudioOutMs, r.HourOut)
	}
}

// sold reports whether what was counted so is charged so.
func sold(n int64, rate *int64) bool { return n > 0 && rate != nil }

// least is how many milliseconds a sound is charged for at least.
func least(r *storage.Rate, n *providers.Normal) int64 {
	if n.AudioInMs <= 0 {
		return 0
	}
	return r.MinSeconds * 1000
}

func within(n, whole int64) int64 { return max(0, min(n, whole)) }

func either(rate, standIn *int64) *int64 {
	if rate != nil {
		return rate
	}
	return standIn
}

func (t *till) tokens(n int64, rate *int64, lacking string) {
	if t.known(n, rate, lacking) {
		t.sum.add(product(n, *rate))
	}
}

func (t *till) hours(ms int64, rate *int64) {
	if t.known(ms, rate, UnpricedSeconds) {
		t.sound.add(product(ms, *rate))
	}
}

func (t *till) pieces(n int64, rate *int64, lacking string) {
	if t.known(n, rate, lacking) {
		a := product(n, *rate)
		a.times(1_000_000)
		t.sum.add(a)
	}
}

func (t *till) known(n int64, rate *int64, lacking string) bool {
	switch {
	case n <= 0:
		return false
	case rate == nil:
		t.lacks(lacking)
		return false
	case *rate < 0:
		t.lacks(UnpricedNegative)
		return false
	}
	return true
}

// amount is money before it is rounded, in 128 bits.
type amount struct {
	high, low uint64
	lost      bool // more than 128 bits
}

func product(n, rate int64) amount {
	high, low := bits.Mul64(uint64(n), uint64(rate))
	return amount{high: high, low: low}
}

func (a *amount) add(b amount) {
	var carry uint64
	a.low, carry = bits.Add64(a.low, b.low, 0)
	a.high, carry = bits.Add64(a.high, b.high, carry)
	a.lost = a.lost || b.lost || carry != 0
}

func (a *amount) times(factor int64) {
	if factor < 0 {
		a.lost = true
		return
	}
	beyond, top := bits.Mul64(a.high, uint64(factor))
	carried, low := bits.Mul64(a.low, uint64(factor))
	high, carry := bits.Add64(top, carried, 0)
	a.high, a.low = high, low
	a.lost = a.lost || beyond != 0 || carry != 0
}

// nano rounds, half up; false where the amount is more than an int64 holds.
func (a amount) nano() (int64, bool) {
	if a.lost || a.high >= perNano {
		return 0, false
	}
	nano, rest := bits.Div64(a.high, a.low, perNano)
	if rest >= perNano/2 {
		nano++
	}
	if nano > math.MaxInt64 {
		return 0, false
	}
	return int64(nano), true
}
