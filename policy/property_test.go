package policy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// gen makes prices and lines as they might be, the odd ones too.
type gen struct{ *rand.Rand }

// figure is a rate of at least least, or where it may be, none.
func (g gen) figure(least int64, optional bool) *int64 {
	if optional && g.IntN(3) == 0 {
		return nil
	}
	n := least + g.Int64N(1<<(1+g.IntN(40)))
	return &n
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// rate is one that is no cheaper than than: nobody makes the longer context cheaper.
func (g gen) rate(tier string, over int64, than storage.Rate) storage.Rate {
	r := storage.Rate{Tier: tier, Over: over, Input: g.figure(value(than.Input), false)}
	r.CacheRead = g.figure(value(than.CacheRead), than.CacheRead == nil)
	r.CacheWrite5m = g.figure(value(than.CacheWrite5m), false)
	r.CacheWrite1h = g.figure(value(than.CacheWrite1h), false)
	r.Output = g.figure(value(than.Output), false)
	r.Reasoning = g.figure(max(value(r.Output), value(than.Reasoning)), than.Reasoning == nil)
	r.AudioIn = g.figure(max(value(r.Input), value(than.AudioIn)), false)
	r.AudioOut = g.figure(max(value(r.Output), value(than.AudioOut)), false)
	r.ImageIn = g.figure(max(value(r.Input), value(than.ImageIn)), false)
	r.ImageOut = g.figure(max(value(r.Output), value(than.ImageOut)), false)
	// What was cached is within what was read: its price is the lower one.
	if r.CacheRead == nil {
		r.CacheRead = r.Input
	}
	r.AudioCacheRead = r.CacheRead
	r.Image, r.Search = g.figure(value(than.Image), false), g.figure(value(than.Search), false)
	r.Request = g.figure(value(than.Request), than.Request == nil)
	return r
}

func (g gen) price(model string) storage.Price {
	p := storage.Price{ID: "id-" + model, Provider: "p", Model: model, Regions: map[string]int64{"eu": 1000 + g.Int64N(1000)}}
	for _, tier := range []string{"", "flex", "priority"} {
		short := g.rate(tier, 0, storage.Rate{})
		long := g.rate(tier, 1+g.Int64N(100_000), short)
		p.Rates = append(p.Rates, short, long)
		if tier == "" { // every tier tells the same lengths apart
			continue
		}
		p.Rates[len(p.Rates)-1].Over = p.Rates[1].Over
	}
	return p
}

func (g gen) count() int64 {
	if g.IntN(3) == 0 {
		return 0
	}
	return g.Int64N(1 << (1 + g.IntN(20)))
}

func (g gen) line(models []string) providers.Normal {
	n := providers.Normal{
		Model: models[g.IntN(len(models))], Tier: []string{"", "flex", "priority", "default"}[g.IntN(4)],
		InputUncached: g.count(), CacheRead: g.count(), CacheWrite5m: g.count(), CacheWrite1h: g.count(),
		Output: g.count(), Images: g.count() % 5, Searches: g.count() % 5,
	}
	n.AudioIn = g.Int64N(n.InputUncached + 1)
	n.ImageIn = g.Int64N(n.InputUncached - n.AudioIn + 1)
	n.AudioOut = g.Int64N(n.Output + 1)
	n.ImageOut = g.Int64N(n.Output - n.AudioOut + 1)
	n.Reasoning = g.Int64N(n.Output - n.AudioOut - n.ImageOut + 1)
	return n
}

// more are the ways in which a line may grow.
var more = []struct {
	what string
	grow func(n *providers.Normal, by int64)
}{
	{"uncached", func(n *providers.Normal, by int64) { n.InputUncached += by }},
	{"cache read", func(n *providers.Normal, by int64) { n.CacheRead += by }},
	{"cache write 5m", func(n *providers.Normal, by int64) { n.CacheWrite5m += by }},
	{"cache write 1h", func(n *providers.Normal, by int64) { n.CacheWrite1h += by }},
	{"output", func(n *providers.Normal, by int64) { n.Output += by }},
	{"reasoning", func(n *providers.Normal, by int64) { n.Output += by; n.Reasoning += by }},
	{"reasoning alone", func(n *providers.Normal, by int64) {
		n.Reasoning += min(by, n.Output-n.AudioOut-n.ImageOut-n.Reasoning)
	}},
	{"audio in", func(n *providers.Normal, by int64) { n.InputUncached += by; n.AudioIn += by }},
	{"audio in alone", func(n *providers.Normal, by int64) { n.AudioIn += min(by, n.InputUncached-n.AudioIn-n.ImageIn) }},
	{"audio out", func(n *providers.Normal, by int64) { n.Output += by; n.AudioOut += by }},
	{"image in", func(n *providers.Normal, by int64) { n.InputUncached += by; n.ImageIn += by }},
	{"image out", func(n *providers.Normal, by int64) { n.Output += by; n.ImageOut += by }},
	{"images", func(n *providers.Normal, by int64) { n.Images += by }},
	{"searches", func(n *providers.Normal, by int64) { n.Searches += by }},
}

// A cost is never negative, does not sink when anything grows, does not depend on the lines'
// order, and is the sum of its lines before it is rounded.
func TestPriceBook_Charge_properties(t *testing.T) {
	rounds := 3_000
	if os.Getenv("AISTRALE_PROVE") != "" {
		rounds = 300_000
	}
	for round := range rounds {
		g := gen{rand.New(rand.NewPCG(uint64(round), 7))}
		book := NewPriceBook([]storage.Price{g.price("a"), g.price("b")})
		c := Called{Provider: "p", Model: "a", Region: []string{"", "eu", "nowhere"}[g.IntN(3)], Time: noon}
		var lines []providers.Normal
		for range 1 + g.IntN(4) {
			lines = append(lines, g.line([]string{"", "a", "b"}))
		}
		if err := holds(book, c, lines, g); err != nil {
			t.Fatalf("round %d, %+v: %v", round, lines, err)
		}
	}
}

func holds(book *PriceBook, c Called, lines []providers.Normal, g gen) error {
	got := book.Charge(c, lines)
	if !got.Known() || got.CostNano < 0 {
		return fmt.Errorf("it costs %+v", got)
	}

	var parts till
	var rounded int64
	for i := range lines {
		book.line(&parts, &c, &lines[i])
		rounded += book.Charge(c, lines[i:i+1]).CostNano
	}
	if whole, ok := parts.sum.nano(); !ok || whole != got.CostNano {
		return fmt.Errorf("the sum of its parts is %d, the whole %d", whole, got.CostNano)
	}
	if off := rounded - got.CostNano; off < -int64(len(lines)) || off > int64(len(lines)) {
		return fmt.Errorf("its parts cost %d, the whole %d", rounded, got.CostNano)
	}

	mixed := slices.Clone(lines)
	g.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	if again := book.Charge(c, mixed); again != got {
		return fmt.Errorf("in another order it costs %+v, not %+v", again, got)
	}

	for _, m := range more {
		grown := slices.Clone(lines)
		m.grow(&grown[g.IntN(len(grown))], 1+g.Int64N(100_000))
		if after := book.Charge(c, grown); !after.Known() || after.CostNano < got.CostNano {
			return fmt.Errorf("with more %s it costs %+v, not %+v", m.what, after, got)
		}
	}
	return nil
}
