package policy

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestAlias_Order(t *testing.T) {
	three := func(weights ...int) []Target {
		list := []Target{{Provider: "p", Model: "a"}, {Provider: "p", Model: "b"}, {Provider: "p", Model: "c"}}
		for i, w := range weights {
			list[i].Weight = w
		}
		return list
	}
	scores := map[string]float64{"a": 3, "b": math.Inf(1), "c": 1}
	score := func(t *Target) float64 { return scores[t.Model] }
	f := func(a Alias, chance uint64, want string) {
		t.Helper()
		before := append([]Target(nil), a.Targets...)
		if got := names(a.Order(chance, score)); got != want {
			t.Errorf("%s: Order(%x) = %s, not %s", a.Strategy, chance, got, want)
		}
		if !reflect.DeepEqual(a.Targets, before) {
			t.Errorf("the alias itself was put in order: %v", a.Targets)
		}
	}
	share := func(x float64) uint64 { return uint64(x*(1<<53)) << 11 }
	f(Alias{Targets: three()}, share(0.9), "p/a p/b p/c")
	f(Alias{Targets: three(1, 2, 1), Strategy: StrategyOrdered}, share(0.9), "p/a p/b p/c")
	f(Alias{Targets: three(1, 2, 1)}, 0, "p/a p/b p/c")
	f(Alias{Targets: three(1, 2, 1)}, share(0.2499), "p/a p/b p/c")
	f(Alias{Targets: three(1, 2, 1)}, share(0.25), "p/b p/a p/c")
	f(Alias{Targets: three(1, 2, 1)}, share(0.7499), "p/b p/a p/c")
	f(Alias{Targets: three(1, 2, 1)}, share(0.75), "p/c p/a p/b")
	f(Alias{Targets: three(1, 2, 1)}, math.MaxUint64, "p/c p/a p/b")
	f(Alias{Targets: three(), Strategy: StrategyCheapest}, 0, "p/c p/a p/b") // what has no price comes last
	f(Alias{Targets: three()[:1], Strategy: StrategyLatency}, 5, "p/a")
	f(Alias{Targets: three()[:2], Strategy: StrategyLatency}, 5, "p/a p/b")
}

// Of three targets the slowest is never first, and the fastest is first whenever chance names it.
func TestAlias_OrderByLatencyTakesTheFasterOfTwo(t *testing.T) {
	a := Alias{Strategy: StrategyLatency, Targets: []Target{{Model: "slow"}, {Model: "mid"}, {Model: "fast"}}}
	scores := map[string]float64{"slow": 3, "mid": 2, "fast": 1}
	chance := rand.New(rand.NewPCG(1, 2))
	count := map[string]int{}
	const rounds = 30_000
	for range rounds {
		got := a.Order(chance.Uint64(), func(t *Target) float64 { return scores[t.Model] })
		if len(got) != 3 {
			t.Fatalf("%v", got)
		}
		count[got[0].Model]++
	}
	if share := float64(count["fast"]) / rounds; count["slow"] != 0 || share < 0.65 || share > 0.68 {
		t.Errorf("first: %v; the fastest is one of two random ones in 2 of 3 cases", count)
	}
}
