package policy

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Whatever a call within its reach is charged, it is at most the bound.
func TestUpperHolds(t *testing.T) {
	const seed = 7
	g := gen{rand.New(rand.NewPCG(seed, 1))}
	tiers := []string{"", "flex", "priority"}
	tight := 0
	for i := range 20_000 {
		price := g.price("m")
		r := Reach{Input: g.Int64N(200_000), Searches: g.Int64N(3), Images: g.Int64N(3), Region: []string{"", "eu", "us"}[g.IntN(3)]}
		tier := tiers[g.IntN(3)]
		if g.IntN(2) == 0 {
			r.Tiers = []string{"", tier}
		}
		u := UpperOf(&price, r)
		if u.Unpriced != "" {
			t.Fatalf("%d: %s", i, u.Unpriced)
		}
		output := g.Int64N(100_000)
		line := g.within(r, output)
		line.Tier = tier
		b := NewPriceBook([]storage.Price{price})
		charge := b.Charge(Called{Provider: "p", Model: "m", Region: r.Region, Time: time.Unix(1, 0)}, []providers.Normal{line})
		if !charge.Known() {
			t.Fatalf("%d: %s", i, charge.Unpriced)
		}
		ask := BudgetAsk{Fixed: u.Fixed, PerMillion: u.PerMillion}
		bound := ask.reserve(output)
		if charge.CostNano > bound {
			t.Fatalf("%d: charged %d, bound %d: %+v of %+v", i, charge.CostNano, bound, line, price.Rates)
		}
		if charge.CostNano > bound/2 {
			tight++
		}
	}
	if tight == 0 {
		t.Error("the bound is never near: it may bound anything")
	}
}

// within makes a line that a call of this reach may have.
func (g gen) within(r Reach, output int64) providers.Normal {
	n := providers.Normal{Output: output, Searches: r.Searches, Images: r.Images}
	left := r.Input
	for _, part := range []*int64{&n.CacheRead, &n.CacheWrite5m, &n.CacheWrite1h} {
		*part = g.Int64N(left + 1)
		left -= *part
	}
	n.InputUncached = left
	n.AudioIn, n.ImageIn = g.Int64N(r.Input+1), g.Int64N(r.Input+1)
	n.Reasoning, n.AudioOut, n.ImageOut = g.Int64N(output+1), g.Int64N(output+1), g.Int64N(output+1)
	return n
}

func TestUpperOf(t *testing.T) {
	usd := func(n float64) *int64 {
		nano := int64(n * 1e9)
		return &nano
	}
	price := storage.Price{Provider: "p", Model: "m", Rates: []storage.Rate{
		{Input: usd(3), Output: usd(15), CacheWrite5m: usd(3.75), CacheWrite1h: usd(6)},
		{Over: 200_000, Input: usd(6), Output: usd(22.5), CacheWrite5m: usd(7.5), CacheWrite1h: usd(12)},
		{Tier: "priority", Input: usd(9), Output: usd(40)},
		{Tier: "batch", Input: usd(100), Output: usd(100)},
	}, Regions: map[string]int64{"eu": 1100}}
	f := func(p *storage.Price, r Reach, want Upper) {
		t.Helper()
		if got := UpperOf(p, r); got != want {
			t.Errorf("%+v: %+v, want %+v", r, got, want)
		}
	}
	standard := []string{""}
	f(&price, Reach{Input: 1_000, Tiers: standard}, Upper{Fixed: 6_000_000, PerMillion: 15_000_000_000})
	f(&price, Reach{Input: 200_000, Tiers: standard}, Upper{Fixed: 1_200_000_000, PerMillion: 15_000_000_000})
	f(&price, Reach{Input: 200_001, Tiers: standard}, Upper{Fixed: 2_400_012_000, PerMillion: 22_500_000_000})
	f(&price, Reach{Input: 1_000}, Upper{Fixed: 9_000_000, PerMillion: 40_000_000_000})
	f(&price, Reach{Input: 1_000, Tiers: standard, Region: "eu"}, Upper{Fixed: 6_600_000, PerMillion: 16_500_000_000})
	f(&price, Reach{Input: 1_000, Tiers: []string{"flex"}}, Upper{Unpriced: UnpricedModel})
	f(&price, Reach{Searches: 1}, Upper{Unpriced: UnpricedSearch})
	f(&price, Reach{Images: 1}, Upper{Unpriced: UnpricedImage})
	f(nil, Reach{}, Upper{Unpriced: UnpricedModel})
	embed := storage.Price{Rates: []storage.Rate{{Input: usd(0.02)}}}
	f(&embed, Reach{Input: 10}, Upper{Unpriced: UnpricedOutput})
	f(&embed, Reach{Input: 10, NoOutput: true}, Upper{Fixed: 200})
	output := storage.Price{Rates: []storage.Rate{{Output: usd(1)}}}
	f(&output, Reach{Input: 10}, Upper{Unpriced: UnpricedInput})
	f(&output, Reach{}, Upper{PerMillion: 1_000_000_000})
	one := int64(1)
	tiny := storage.Price{Rates: []storage.Rate{{Input: &one, Output: &one, Search: &one, Image: &one, Request: &one}}}
	f(&tiny, Reach{Input: 1}, Upper{Fixed: 2, PerMillion: 1}) // rounded up
	f(&tiny, Reach{Input: 1, Searches: 3, Images: 5}, Upper{Fixed: 10, PerMillion: 1})
	huge := int64(math.MaxInt64)
	f(&storage.Price{Rates: []storage.Rate{{Input: &huge, Output: &huge}}}, Reach{Input: huge}, Upper{Fixed: huge, PerMillion: huge})
}
