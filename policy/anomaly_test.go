package policy

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	first := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	const length, last = 5 * weekHours, 24
	f := func(name string, value func(i int) int64, change map[int]int64, learning int, flagged ...int) {
		t.Helper()
		h := Hours{First: first, Least: 10}
		for i := range length {
			v := value(i)
			if other, ok := change[i]; ok {
				v = other
			}
			h.Values = append(h.Values, v)
		}
		found, young := h.Anomalies(last)
		if len(found) != len(flagged) || young != learning {
			t.Fatalf("%s: %d found, %d learning: %+v", name, len(found), young, found)
		}
		for i, at := range flagged {
			if a := found[i]; !a.At.Equal(first.Add(time.Duration(at)*time.Hour)) || a.Value != change[at] || a.Score < anomalyScore {
				t.Errorf("%s: %+v, want hour %d", name, a, at)
			}
		}
	}
	const spike = length - 5
	even := func(int) int64 { return 1000 }
	f("even", even, nil, 0)
	f("spike", even, map[int]int64{spike: 1500}, 0, spike)
	f("below five spreads", even, map[int]int64{spike: 1499}, 0)
	f("drop", even, map[int]int64{spike: 0}, 0, spike)
	f("an outlier before does not hide it", even, map[int]int64{spike - weekHours: 1_000_000, spike: 1500}, 0, spike)
	office := func(i int) int64 {
		if at := first.Add(time.Duration(i) * time.Hour); at.Weekday() == time.Saturday || at.Weekday() == time.Sunday || at.Hour() < 8 || at.Hour() > 17 {
			return 0
		}
		return 500
	}
	f("weekdays are no anomaly", office, nil, 0)
	f("night", office, map[int]int64{length - 2: 500}, 0, length-2)
	f("small things are none", func(int) int64 { return 0 }, map[int]int64{spike: 49, 0: 1}, 0)
	f("three weeks of rest, then anew", func(i int) int64 {
		if i < length-weekHours-last {
			return 0
		}
		return 1000
	}, nil, last)
	f("nothing at all", func(int) int64 { return 0 }, nil, last)
	random := rand.New(rand.NewPCG(1, 2))
	f("noise", func(int) int64 { return 900 + random.Int64N(200) }, map[int]int64{spike: 2000}, 0, spike)
}
