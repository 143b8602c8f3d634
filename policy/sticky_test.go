package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestRendezvous_SharesByWeight(t *testing.T) {
	f := func(weights []int, shares ...float64) {
		t.Helper()
		const keys = 40_000
		got := make([]int, len(weights))
		for key := range uint64(keys) {
			got[Rendezvous(mix(key, 1), len(weights), func(i int) (uint64, int) { return HashParts(fmt.Sprint("place", i)), weights[i] })]++
		}
		for i, want := range shares {
			if share := float64(got[i]) / keys; math.Abs(share-want) > 0.012 {
				t.Errorf("weights %v: place %d has %.3f of the keys, not %.3f", weights, i, share, want)
			}
		}
	}
	f([]int{0, 0}, 0.5, 0.5)
	f([]int{1, 2, 1}, 0.25, 0.5, 0.25)
	f([]int{3, 0, 1}, 0.75, 0, 0.25)
	f([]int{5}, 1)
}

// Where a place goes, only its own keys move.
func TestRendezvous_MovesFewKeys(t *testing.T) {
	places := []uint64{HashParts("a"), HashParts("b"), HashParts("c"), HashParts("d")}
	pick := func(key uint64, places []uint64) uint64 {
		return places[Rendezvous(key, len(places), func(i int) (uint64, int) { return places[i], 0 })]
	}
	for key := range uint64(10_000) {
		before := pick(key, places)
		if after := pick(key, places[:3]); before != places[3] && after != before {
			t.Fatalf("key %d moved from one that is still there", key)
		}
	}
}

func TestHashParts(t *testing.T) {
	if HashParts("ab", "c") == HashParts("a", "bc") || HashParts("a") == HashParts("a", "") {
		t.Error("different parts have one hash")
	}
	if got := HashParts("anthropic", "main", "claude"); got != 0x74e4b8dfcf0fec19 {
		t.Errorf("the hash is %#x: nodes of another release would lead sessions elsewhere", got)
	}
}

func TestWarm(t *testing.T) {
	w := &Warm{}
	now := time.Unix(1_700_000_000, 0)
	f := func(key, want uint64) {
		t.Helper()
		if place, ok := w.Find(key, now); ok != (want != 0) || ok && place != want {
			t.Errorf("key %d is warm at %d (%v), not %d", key, place, ok, want)
		}
	}
	f(0, 0)
	w.Keep(7, 1, StickyPrefix, now)
	w.Keep(8, 2, StickySession, now)
	f(7, 1)
	f(8, 2)
	w.Keep(7, 3, StickyPrefix, now)
	f(7, 3)
	f(7+uint64(len(w.slots)), 0) // the same slot
	now = now.Add(warmPrefix)
	f(7, 0)
	f(8, 2)
	now = now.Add(warmSession)
	f(8, 0)
	chance := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		key := chance.Uint64()
		w.Keep(key, key/2, StickySession, now)
		f(key, key/2)
	}
}

func TestRegions(t *testing.T) {
	r := Regions{"pinned": {"eu", "ch"}, "nowhere": {}}
	f := func(workspace, region string, want bool) {
		t.Helper()
		if r.Allow(workspace, region) != want {
			t.Errorf("%s in %q: %v", workspace, region, !want)
		}
	}
	f("pinned", "eu", true)
	f("pinned", "us", false)
	f("pinned", "", false)
	f("nowhere", "eu", false)
	f("free", "us", true)
	f("free", "", true)
}
