package policy

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// usd is dollars for a million tokens as a rate, milli-dollars exactly.
func usd(milli int64) *int64 {
	n := milli * 1_000_000
	return &n
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func day(s string) time.Time {
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return at
}

func TestPriceBook_Charge(t *testing.T) {
	sonnet := storage.Price{ID: "s", Provider: "anthropic", Model: "sonnet", Regions: map[string]int64{"us": 1100}, Rates: []storage.Rate{
		{Input: usd(3000), CacheRead: usd(300), CacheWrite5m: usd(3750), CacheWrite1h: usd(6000), Output: usd(15000), Search: usd(10)},
		{Over: 200_000, Input: usd(6000), CacheRead: usd(600), CacheWrite5m: usd(7500), CacheWrite1h: usd(12000), Output: usd(22500)},
		{Tier: "batch", Input: usd(1500), Output: usd(7500)},
		{Tier: "fast", Input: usd(18000), Output: usd(90000)},
		{Tier: "fast", Over: 200_000, Input: usd(36000), Output: usd(135000)},
	}}
	bare := storage.Price{ID: "b", Provider: "anthropic", Model: "bare", Rates: []storage.Rate{{Input: usd(1000), Output: usd(2000)}}}
	audio := storage.Price{ID: "a", Provider: "anthropic", Model: "audio", Rates: []storage.Rate{{
		Input: usd(2500), Output: usd(10000), AudioIn: usd(40000), AudioOut: usd(80000), Reasoning: usd(20000), Request: usd(5), Image: usd(40),
	}}}
	picture := storage.Price{ID: "i", Provider: "anthropic", Model: "picture", Rates: []storage.Rate{{Input: usd(300), Output: usd(2500), ImageIn: usd(500), ImageOut: usd(30_000)}}}
	odd := storage.Price{ID: "o", Provider: "anthropic", Model: "odd", Rates: []storage.Rate{{Tier: "flex", Input: usd(-1), CacheRead: new(int64)}}}
	b := NewPriceBook([]storage.Price{sonnet, bare, audio, picture, odd})

	f := func(model, region string, wantNano int64, wantUnpriced, wantID string, lines ...providers.Normal) {
		t.Helper()
		got := b.Charge(Called{Provider: "anthropic", Model: model, Region: region, Time: noon}, lines)
		want := storage.Charge{CostNano: wantNano, Unpriced: wantUnpriced, PriceID: wantID}
		if got != want {
			t.Errorf("%+v: %+v, want %+v", lines, got, want)
		}
		slices.Reverse(lines)
		if again := b.Charge(Called{Provider: "anthropic", Model: model, Region: region, Time: noon}, lines); again != got {
			t.Errorf("the other way round: %+v, want %+v", again, got)
		}
	}
	type n = providers.Normal

	f("sonnet", "", 0, "", "")
	f("sonnet", "", 3_000, "", "s", n{InputUncached: 1})
	f("sonnet", "", 3_000+300+3_750+6_000+15_000, "", "s", n{InputUncached: 1, CacheRead: 1, CacheWrite5m: 1, CacheWrite1h: 1, Output: 1})
	f("sonnet", "us", 3_300, "", "s", n{InputUncached: 1})
	f("sonnet", "mars", 3_000, "", "s", n{InputUncached: 1})
	f("sonnet", "", 15_000, "", "s", n{Output: 1, Reasoning: 1})
	f("sonnet", "", 3_000+2*10_000_000, "", "s", n{InputUncached: 1, Searches: 2})

	// The whole call is priced by the length of its input, cached tokens included.
	f("sonnet", "", 200_000*3_000+15_000, "", "s", n{InputUncached: 200_000, Output: 1})
	f("sonnet", "", 1_000*6_000+200_000*600+22_500, "", "s", n{InputUncached: 1_000, CacheRead: 200_000, Output: 1})
	f("sonnet", "", 0, "no price for search", "s", n{InputUncached: 200_001, Searches: 1})

	f("sonnet", "", 1_500+7_500, "", "s", n{Tier: "batch", InputUncached: 1, Output: 1})
	f("sonnet", "", 36_000*200_001, "", "s", n{Tier: "fast", InputUncached: 200_001})
	f("sonnet", "", 0, "no price for tier batch over 200000", "s", n{Tier: "batch", InputUncached: 200_001})
	f("sonnet", "", 0, "no price for tier flex", "s", n{Tier: "flex", InputUncached: 1})
	f("sonnet", "", 0, UnpricedTier, "s", n{Tier: "warp", InputUncached: 1})

	// What stands in for a rate that is not known.
	f("bare", "", 1_000*3+2_000*2, "", "b", n{InputUncached: 1, CacheRead: 1, CacheWrite5m: 1, Output: 2, Reasoning: 1})
	f("bare", "", 0, UnpricedCacheWrite1h, "b", n{CacheWrite1h: 1})
	f("bare", "", 1_000*5+2_000*4, "", "b", n{InputUncached: 5, AudioIn: 2, Output: 4, AudioOut: 1})
	f("bare", "", 0, UnpricedSearch, "b", n{Searches: 1})
	f("bare", "", 0, UnpricedImage, "b", n{Images: 1})
	f("odd", "", 0, UnpricedModel, "o", n{})
	f("odd", "", 0, UnpricedNegative, "o", n{Tier: "flex", InputUncached: 1})
	f("odd", "", 0, "", "o", n{Tier: "flex", CacheRead: 1 << 40}) // 0 is free
	f("odd", "", 0, UnpricedOutput, "o", n{Tier: "flex", Output: 1})

	// Within means within: no token is charged as two things.
	request := int64(5_000_000)
	f("audio", "", request+8*2_500+2*40_000+4*10_000+80_000+20_000, "", "a", n{InputUncached: 10, AudioIn: 2, Output: 6, AudioOut: 1, Reasoning: 1})
	f("audio", "", request+2*40_000+3*2_500, "", "a", n{InputUncached: 2, CacheRead: 3, AudioIn: 4})
	f("audio", "", request+3*80_000, "", "a", n{Output: 3, AudioOut: 9, Reasoning: 9})
	f("audio", "", request+40_000_000, "", "a", n{Images: 1})
	f("picture", "", 265*300+258*200+10*2_500+1290*30_000, "", "i", n{InputUncached: 265, ImageIn: 258, Output: 1300, ImageOut: 1290, Images: 1})
	f("bare", "", 3*1_000+3*2_000, "", "b", n{InputUncached: 3, ImageIn: 2, Output: 3, ImageOut: 9, Reasoning: 1})
	f("audio", "", request, "", "a", n{InputUncached: -5, Output: -5, Searches: -1})

	// Several models, each at its own price.
	f("sonnet", "us", 3_300+1_000, "", "b,s", n{InputUncached: 1}, n{Model: "bare", InputUncached: 1})
	f("sonnet", "", 3_000*2, "", "s", n{InputUncached: 1}, n{Model: "sonnet", InputUncached: 1})
	f("sonnet", "", 0, UnpricedModel, "s", n{InputUncached: 1}, n{Model: "nobody", InputUncached: 1})
	f("nobody", "", 0, UnpricedModel, "s", n{}, n{Model: "sonnet", Searches: 1})
	f("sonnet", "", 3_000+15_000+1_000+request, "", "a,b,s", n{InputUncached: 1}, n{Model: "bare", InputUncached: 1}, n{Output: 1}, n{Model: "audio"})

	f("sonnet", "", 0, UnpricedRange, "s", n{Output: math.MaxInt64})
	f("sonnet", "", 0, UnpricedRange, "s", n{Output: math.MaxInt64}, n{Output: math.MaxInt64}, n{Output: math.MaxInt64})

	if c := b.Charge(Called{Provider: "anthropic", Model: "bare", Time: noon, Estimated: true}, nil); !c.Estimated || !c.Known() {
		t.Errorf("%+v", c)
	}
}

// One rounding, half up, at the end of all lines.
func TestPriceBook_Charge_rounds(t *testing.T) {
	rate := func(n int64) storage.Rate { return storage.Rate{Input: &n} }
	b := NewPriceBook([]storage.Price{
		{Provider: "p", Model: "half", Rates: []storage.Rate{rate(500_000)}},
		{Provider: "p", Model: "less", Rates: []storage.Rate{rate(499_999)}},
		{Provider: "p", Model: "region", Rates: []storage.Rate{rate(1)}, Regions: map[string]int64{"eu": 1100}},
	})
	f := func(model, region string, want int64, tokens ...int64) {
		t.Helper()
		var lines []providers.Normal
		for _, n := range tokens {
			lines = append(lines, providers.Normal{InputUncached: n})
		}
		if got := b.Charge(Called{Provider: "p", Model: model, Region: region, Time: noon}, lines); got.CostNano != want || !got.Known() {
			t.Errorf("%s of %v: %+v, want %d", model, tokens, got, want)
		}
	}
	f("half", "", 1, 1)
	f("half", "", 1, 1, 1)
	f("half", "", 2, 1, 1, 1)
	f("less", "", 0, 1)
	f("less", "", 1, 1, 1)
	f("region", "eu", 0, 454_545)
	f("region", "eu", 1, 454_546)
}

// The arithmetic against one without a bound.
func TestAmount(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	wide := func() int64 { return rng.Int64() >> rng.IntN(63) }
	lost, kept := 0, 0
	for range 20_000 {
		var a amount
		exact := new(big.Int)
		for range 1 + rng.IntN(4) {
			n, rate, factor := wide(), wide(), wide()>>32
			p := product(n, rate)
			p.times(factor)
			a.add(p)
			one := new(big.Int).Mul(big.NewInt(n), big.NewInt(rate))
			exact.Add(exact, one.Mul(one, big.NewInt(factor)))
		}
		want := new(big.Int).Add(exact, big.NewInt(perNano/2))
		want.Div(want, big.NewInt(perNano))
		got, ok := a.nano()
		if ok != want.IsInt64() || ok && got != want.Int64() {
			t.Fatalf("%v nano-USD, %v, want %v", got, ok, want)
		}
		if ok {
			kept++
		} else {
			lost++
		}
	}
	if lost < 1000 || kept < 1000 {
		t.Errorf("%d amounts lost, %d kept: one of both was hardly tried", lost, kept)
	}
}

func TestPriceBook_Charge_allocations(t *testing.T) {
	b, c, lines := usual()
	if n := testing.AllocsPerRun(1000, func() { b.Charge(c, lines) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() { b.Find(c.Provider, c.Model) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func usual() (*PriceBook, Called, []providers.Normal) {
	var list []storage.Price
	for _, model := range []string{"gpt-5", "gpt-5-mini", "gpt-4o", "o3"} {
		list = append(list, storage.Price{ID: "openai/" + model, Provider: "openai", Model: model, From: day("2025-01-01"), Rates: []storage.Rate{
			{Input: usd(1250), CacheRead: usd(125), Output: usd(10_000)},
			{Tier: "flex", Input: usd(625), CacheRead: usd(62), Output: usd(5_000)},
			{Tier: "priority", Input: usd(2500), CacheRead: usd(250), Output: usd(20_000)},
		}})
	}
	return NewPriceBook(list), Called{Provider: "openai", Model: "gpt-5-mini", Time: noon},
		[]providers.Normal{{Tier: "default", InputUncached: 1000, CacheRead: 2000, Output: 500, Reasoning: 100}}
}

func BenchmarkPriceBook_Charge(b *testing.B) {
	book, c, lines := usual()
	b.ReportAllocs()
	for b.Loop() {
		if got := book.Charge(c, lines); got.CostNano == 0 {
			b.Fatal(got)
		}
	}
}

func BenchmarkPriceBook_Find(b *testing.B) {
	book, c, _ := usual()
	b.ReportAllocs()
	for b.Loop() {
		if book.Find(c.Provider, c.Model) == nil {
			b.Fatal("not found")
		}
	}
}
