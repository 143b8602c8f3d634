package policy

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// dear is a figure in USD.
func dear(text string) *int64 {
	n, err := storage.ParseUSD(text)
	if err != nil {
		panic(err)
	}
	return &n
}

func soldBy(name string, rates ...storage.Rate) storage.Price {
	return storage.Price{ID: name, Provider: "p", Model: name, Rates: rates}
}

// unitPrices are models that are sold by other things than tokens, and one that is sold by both.
func unitPrices() []storage.Price {
	images := storage.Rate{Image: dear("0.04")}
	for name, usd := range map[string]string{"1024x1792": "0.08", "hd": "0.08", "1024x1792/hd": "0.12"} {
		images.Set("image "+name, dear(usd))
	}
	return []storage.Price{
		soldBy("tts", storage.Rate{Character: dear("0.000015")}),
		soldBy("whisper", storage.Rate{HourIn: dear("0.36")}),
		soldBy("groq", storage.Rate{HourIn: dear("0.111"), MinSeconds: 10}),
		soldBy("dall", images),
		soldBy("flat", storage.Rate{Image: dear("0.03")}),
		soldBy("gpt-image", storage.Rate{Input: dear("5"), ImageIn: dear("10"), ImageOut: dear("40")}),
		soldBy("mini-tts", storage.Rate{Input: dear("0.6"), Output: dear("12"), HourOut: dear("0.9")}),
		soldBy("transcribe", storage.Rate{Input: dear("2.5"), Output: dear("10")}),
		soldBy("regional", storage.Rate{HourIn: dear("0.36")}, storage.Rate{Tier: "batch", HourIn: dear("0.18")}),
	}
}

func TestPriceBook_Charge_units(t *testing.T) {
	prices := unitPrices()
	prices[len(prices)-1].Regions = map[string]int64{"eu": 1100}
	b := NewPriceBook(prices)
	f := func(model string, want, unpriced string, n providers.Normal) {
		t.Helper()
		got := b.Charge(Called{Provider: "p", Model: model, Region: "eu", Time: noon}, []providers.Normal{n})
		if cost := storage.FormatUSD(got.CostNano); cost != want || got.Unpriced != unpriced {
			t.Errorf("%s: %+v costs %s (%s), want %s (%s)", model, n, cost, got.Unpriced, want, unpriced)
		}
	}
	type n = providers.Normal
	f("tts", "0.06144", "", n{Characters: 4096})
	f("tts", "0", "no price for character", n{Characters: 1, Model: "whisper"})
	f("tts", "0.00006", "", n{Characters: 4, AudioOutMs: 900}) // the sound's length is what the text's is

	f("whisper", "0.00001", "", n{AudioInMs: 100}) // a tenth of a second is exact
	f("whisper", "0.36", "", n{AudioInMs: 3_600_000})
	f("whisper", "0.0009", "", n{AudioInMs: 9_000})
	f("groq", "0.000308333", "", n{AudioInMs: 9_000})   // ten seconds are the least: 0.111 * 10 / 3600
	f("groq", "0.000308333", "", n{AudioInMs: 10_000})  // rounded once, half up
	f("groq", "0.000308364", "", n{AudioInMs: 10_001})  // 308363.8...
	f("groq", "0", "", n{})                             // nothing was read
	f("regional", "0.396", "", n{AudioInMs: 3_600_000}) // eu: 1.1
	f("regional", "0.198", "", n{AudioInMs: 3_600_000, Tier: "batch"})

	f("dall", "0.08", "", n{Images: 2})
	f("dall", "0.24", "", n{Images: 2, Variant: "1024x1792/hd"})
	f("dall", "0.08", "", n{Images: 1, Variant: "hd"})
	f("dall", "0", "no price for image", n{Images: 1, Variant: "4096x4096"})
	f("flat", "0.03", "", n{Images: 1, Variant: "4096x4096"})
	f("gpt-image", "0.042305", "", n{InputUncached: 61, Output: 1050, ImageOut: 1050, Images: 1, Variant: "1024x1024/medium"})
	f("gpt-image", "0", "no price for image", n{Images: 1})

	f("mini-tts", "0.0078048", "", n{InputUncached: 8, Output: 650, Characters: 30, AudioOutMs: 31_000}) // tokens go first
	f("mini-tts", "0.0077548", "", n{InputUncached: 8, Characters: 30, AudioOutMs: 31_000})
	f("transcribe", "0.00045", "", n{InputUncached: 100, Output: 20, AudioInMs: 9_000})
	f("transcribe", "0", "no price for seconds", n{AudioInMs: 9_000})
}

// Whatever is counted, the cost is the exact sum of products, rounded once.
func TestPriceBook_Charge_exact(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(3, 9))}
	for range 3_000 {
		r := storage.Rate{Character: g.figure(0, false), HourIn: g.figure(0, false), Image: g.figure(0, false), MinSeconds: g.Int64N(20)}
		r.Set("image big", g.figure(0, false))
		price := storage.Price{ID: "x", Provider: "p", Model: "m", Rates: []storage.Rate{r}, Regions: map[string]int64{"eu": 1 + g.Int64N(3000)}}
		n := providers.Normal{Characters: g.count(), AudioInMs: g.count(), Images: g.count() % 7, Variant: []string{"", "big"}[g.IntN(2)]}
		got := NewPriceBook([]storage.Price{price}).Charge(Called{Provider: "p", Model: "m", Region: "eu", Time: noon}, []providers.Normal{n})

		ms := n.AudioInMs
		if ms > 0 {
			ms = max(ms, r.MinSeconds*1000)
		}
		sum := new(big.Rat).SetFrac64(ms, 3_600_000)
		sum.Mul(sum, new(big.Rat).SetInt64(*r.HourIn))
		for _, piece := range [][2]int64{{n.Characters, *r.Character}, {n.Images, *r.ImageOf(n.Variant)}} {
			a := new(big.Rat).SetInt64(piece[0])
			sum.Add(sum, a.Mul(a, new(big.Rat).SetInt64(piece[1])))
		}
		sum.Mul(sum, big.NewRat(price.Regions["eu"], 1000))
		sum.Add(sum, big.NewRat(1, 2)) // half up
		want := new(big.Int).Div(sum.Num(), sum.Denom())
		if !got.Known() || !want.IsInt64() || got.CostNano != want.Int64() {
			t.Fatalf("%+v at %+v: %+v, want %v", n, r, got, want)
		}
		for _, more := range []func(*providers.Normal){
			func(n *providers.Normal) { n.Characters++ }, func(n *providers.Normal) { n.AudioInMs++ }, func(n *providers.Normal) { n.Images++ },
		} {
			grown := n
			more(&grown)
			after := NewPriceBook([]storage.Price{price}).Charge(Called{Provider: "p", Model: "m", Region: "eu", Time: noon}, []providers.Normal{grown})
			if after.CostNano < got.CostNano {
				t.Fatalf("%+v costs %d, %+v %d", n, got.CostNano, grown, after.CostNano)
			}
		}
	}
}

// Whatever a call of media within its reach is charged, it is at most the bound.
func TestUpperHolds_media(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(5, 1))}
	tight := 0
	for i := range 10_000 {
		r := storage.Rate{
			Input: g.figure(0, true), Output: g.figure(0, true), ImageOut: g.figure(0, true), AudioIn: g.figure(0, true),
			Character: g.figure(0, true), HourIn: g.figure(0, true), HourOut: g.figure(0, true), Image: g.figure(0, true), MinSeconds: g.Int64N(20),
		}
		if g.IntN(2) == 0 {
			r.Set("image big", g.figure(0, false))
		}
		price := storage.Price{ID: "x", Provider: "p", Model: "m", Rates: []storage.Rate{r}, Regions: map[string]int64{"eu": 1100}}
		reach := Reach{
			Media: true, Region: []string{"", "eu"}[g.IntN(2)], Input: g.count(), Output: g.count(), Characters: g.count(),
			Images: g.count() % 4, Variant: []string{"", "big"}[g.IntN(2)], AudioInMs: g.count(), AudioOutMs: g.count(),
		}
		u := UpperOf(&price, reach)
		if u.Unpriced != "" {
			continue // a hard budget lets none through
		}
		n := providers.Normal{
			InputUncached: g.Int64N(reach.Input + 1), Output: g.Int64N(reach.Output + 1), Characters: reach.Characters,
			Images: g.Int64N(reach.Images + 1), Variant: reach.Variant, AudioInMs: g.Int64N(reach.AudioInMs + 1), AudioOutMs: g.Int64N(reach.AudioOutMs + 1),
		}
		n.AudioIn, n.ImageOut = g.Int64N(n.InputUncached+1), g.Int64N(n.Output+1)
		charge := NewPriceBook([]storage.Price{price}).Charge(Called{Provider: "p", Model: "m", Region: reach.Region, Time: noon}, []providers.Normal{n})
		if charge.Known() && charge.CostNano > u.Fixed {
			t.Fatalf("%d: charged %d, bound %d: %+v of %+v at %+v", i, charge.CostNano, u.Fixed, n, reach, r)
		}
		if charge.Known() && charge.CostNano > u.Fixed/2 {
			tight++
		}
	}
	if tight == 0 {
		t.Error("the bound is never near: it may bound anything")
	}
}

func TestUpperOf_media(t *testing.T) {
	prices := map[string]*storage.Price{}
	for _, p := range unitPrices() {
		prices[p.Model] = &p
	}
	f := func(model string, want, unpriced string, r Reach) {
		t.Helper()
		r.Media = true
		u := UpperOf(prices[model], r)
		if got := storage.FormatUSD(u.Fixed); got != want || u.Unpriced != unpriced || u.PerMillion != 0 {
			t.Errorf("%s: %+v costs at most %s, %+v; want %s (%s)", model, r, got, u, want, unpriced)
		}
	}
	f("tts", "0.06144", "", Reach{Input: 4200, Characters: 4096, AudioOutMs: 1 << 20, Output: 1 << 20})
	f("whisper", "0.36", "", Reach{Input: 100, AudioInMs: 3_600_000, Output: 5000})
	f("groq", "0.000308334", "", Reach{AudioInMs: 10})
	f("dall", "0.24", "", Reach{Input: 100, Images: 2, Variant: "1024x1792/hd", Output: 5000})
	f("dall", "0", "no price for image", Reach{Input: 100, Images: 2, Variant: "9x9"})
	f("gpt-image", "0.1618", "", Reach{Input: 180, Images: 1, Output: 4_000})
	f("mini-tts", "0.9006", "", Reach{Input: 1000, Characters: 900, AudioOutMs: 3_600_000, Output: 10_000})
	f("mini-tts", "1.2006", "", Reach{Input: 1000, Characters: 900, AudioOutMs: 3_600_000, Output: 100_000})
	f("transcribe", "0.00225", "", Reach{Input: 500, AudioInMs: 3_600_000, Output: 100})
	f("whisper", "0", "no price for character", Reach{Input: 100, Characters: 5, AudioOutMs: 5})
	f("tts", "0", "no price for seconds", Reach{Input: 100, AudioInMs: 5})
}
