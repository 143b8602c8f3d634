package storagetest

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// PriceStore keeps what models cost.
type PriceStore interface {
	Prices(ctx context.Context) ([]storage.Price, error)
	AddPrices(ctx context.Context, prices []storage.Price) error
}

// Prices tests a PriceStore. open gives an empty one.
func Prices(t *testing.T, open func(t *testing.T) PriceStore) {
	f := func(name string, test func(*testing.T, PriceStore)) {
		t.Helper()
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	f("empty", func(t *testing.T, s PriceStore) {
		do(t, s.AddPrices(t.Context(), nil))
		wantPrices(t, s)
	})
	f("as it was", pricesAsTheyWere)
	f("in order", pricesInOrder)
	f("added again", pricesAddedAgain)
	f("all or none", pricesAllOrNone)
	f("added at once", pricesAtOnce)
}

func wantPrices(t *testing.T, s PriceStore, want ...storage.Price) {
	t.Helper()
	got, err := s.Prices(t.Context())
	do(t, err)
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func nano(n int64) *int64 { return &n }

// price makes a price that holds from so many days after the start.
func price(id string, days int) storage.Price {
	from := start().Truncate(24*time.Hour).AddDate(0, 0, days)
	return storage.Price{
		ID: id, Provider: "mock", Model: "gpt", From: from,
		Rates: []storage.Rate{{Input: nano(1_000_000_000), Output: nano(2_000_000_000)}},
	}
}

// A rate that is 0 is free, one that is missing is not known: the difference must stay.
func pricesAsTheyWere(t *testing.T, s PriceStore) {
	full := price(`openai/gpt-5*@2026-01-02#"0a'`, 0)
	full.Provider, full.Model = "openai", "gpt-5*"
	full.Source, full.Checked = "list 'x' of Ärger\n", "2026-01-01"
	full.Regions = map[string]int64{"eu": 1100, "us": 1000}
	full.Rates = []storage.Rate{
		{
			Input: nano(1_250_000_000), CacheRead: nano(125_000_001), CacheWrite5m: nano(3), CacheWrite1h: nano(4),
			Output: nano(1<<63 - 1), Reasoning: nano(6), AudioIn: nano(7), AudioCacheRead: nano(8), AudioOut: nano(9),
			ImageIn: nano(10), ImageOut: nano(11), Request: nano(0), Image: nano(13), Search: nano(14), HourIn: nano(15), Character: nano(16),
		},
		{Tier: "batch", Over: 272_000, Input: nano(0)},
	}
	bare := price("mock/gpt@2026-01-03#1", 1)
	bare.Rates = nil
	do(t, s.AddPrices(t.Context(), []storage.Price{full, bare}))
	wantPrices(t, s, full, bare)
}

func pricesInOrder(t *testing.T, s PriceStore) {
	later, second, first := price("later", 1), price("a second", 0), price("b first", 0)
	do(t, s.AddPrices(t.Context(), []storage.Price{later, first}))
	do(t, s.AddPrices(t.Context(), []storage.Price{second}))
	wantPrices(t, s, first, second, later)
}

// A price that was used is never changed.
func pricesAddedAgain(t *testing.T, s PriceStore) {
	p := price("one", 0)
	do(t, s.AddPrices(t.Context(), []storage.Price{p, p}))
	other := price("one", 3)
	other.Model = "another"
	do(t, s.AddPrices(t.Context(), []storage.Price{other, price("two", 4)}))
	wantPrices(t, s, p, price("two", 4))
}

func pricesAllOrNone(t *testing.T, s PriceStore) {
	f := func(spoil func(*storage.Price)) {
		t.Helper()
		p := price("bad", 0)
		spoil(&p)
		if err := s.AddPrices(t.Context(), []storage.Price{price("good", 0), p}); err == nil {
			t.Fatalf("%+v was added", p)
		}
	}
	f(func(p *storage.Price) { p.ID = "" })
	f(func(p *storage.Price) { p.Provider = "" })
	f(func(p *storage.Price) { p.Model = "" })
	wantPrices(t, s)
}

func pricesAtOnce(t *testing.T, s PriceStore) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := s.AddPrices(t.Context(), []storage.Price{price("one", 0), price("two", 1)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantPrices(t, s, price("one", 0), price("two", 1))
}
