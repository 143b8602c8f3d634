package storagetest

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Whatever the entries, in whatever order and however often they come: every sum is the sum of
// the latest revisions.
func ledgerProperty(t *testing.T, s LedgerStore) {
	random, rounds := rand.New(rand.NewPCG(7, 11)), 1
	if os.Getenv("AISTRALE_PROVE") != "" {
		rounds = 20
	}
	all := randomEntries(random, 120*rounds)
	for _, e := range all[:len(all)/2] {
		for range random.IntN(3) {
			e = priced(e, e.Revision+1+random.IntN(2), random.Int64N(5000))
			if random.IntN(4) == 0 {
				e.Unpriced = "no price"
			}
			all = append(all, e)
		}
	}
	for range 30 * rounds {
		batch := make([]storage.Entry, 1+random.IntN(30))
		for i := range batch {
			batch[i] = all[random.IntN(len(all))]
		}
		do(t, s.Write(t.Context(), batch))
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for batch := range slices.Chunk(all, 37) {
		do(t, s.Write(t.Context(), batch))
	}
	for range 50 * rounds {
		wantReference(t, s, all, randomQuery(random))
	}
}

// randomEntries lie around the start, in a few series; many near the ends of minutes, hours and
// days.
func randomEntries(random *rand.Rand, n int) []storage.Entry {
	all := make([]storage.Entry, n)
	for i := range all {
		at := start().Add(time.Duration(random.Int64N(int64(96*time.Hour))) - 48*time.Hour)
		if p := storage.Periods()[random.IntN(3)]; random.IntN(2) == 0 {
			at = at.Truncate(p.Length()).Add(time.Duration(random.IntN(3)-1) * time.Millisecond)
		}
		all[i] = randomEntry(random, at, i)
	}
	return all
}

func randomEntry(random *rand.Rand, at time.Time, n int) storage.Entry {
	of := func(texts ...string) string { return texts[random.IntN(len(texts))] }
	at = at.Truncate(time.Microsecond)
	e := entryAt(0, 0)
	e.Time, e.RequestID, e.Attempt = at, idOf(at, n), 1+random.IntN(2)
	e.Series = storage.Series{
		Workspace: "default", Project: of("a", "b"), Key: of("k1", "k2", "k3"), KeyName: "ci", User: of("", "ada", "bob"),
		Provider: of("openai", "anthropic"), Model: of("model-1", "model-2", "other"), Prompt: of("", "p@1"),
	}
	for range random.IntN(4) {
		e.Tags = append(e.Tags, of("team=a", "team=b", "nightly"))
	}
	e.Final = random.IntN(4) > 0
	e.Outcome = []storage.Outcome{storage.OutcomeOK, storage.OutcomeTimeout}[random.IntN(2)]
	e.Lines = []providers.Normal{{InputUncached: random.Int64N(1000), Output: random.Int64N(1000), CacheRead: random.Int64N(3)}}
	if random.IntN(4) == 0 { // sounds
		e.Lines[0] = providers.Normal{Characters: random.Int64N(4096), AudioInMs: random.Int64N(90_000), AudioOutMs: random.Int64N(3)}
	}
	e.CostNano, e.Charge.Estimated = random.Int64N(10_000), random.IntN(3) == 0
	e.Bound.Input = random.Int64N(100)
	e.Duration = time.Duration(random.Int64N(int64(100 * time.Second)))
	return e
}

func randomQuery(random *rand.Rand) storage.UsageQuery {
	var q storage.UsageQuery
	at := func() time.Time {
		at := start().Add(time.Duration(random.Int64N(int64(120*time.Hour))) - 60*time.Hour)
		if random.IntN(2) == 0 {
			at = at.Truncate(storage.Periods()[random.IntN(3)].Length())
		}
		return at
	}
	if random.IntN(4) > 0 {
		q.From = at()
	}
	if random.IntN(4) > 0 {
		q.To = at()
	}
	q.Per = []storage.Period{"", storage.Minute, storage.Hour, storage.Day}[random.IntN(4)]
	for _, i := range random.Perm(len(storage.Dimensions()))[:random.IntN(4)] {
		q.By = append(q.By, storage.Dimensions()[i])
	}
	filters := []storage.Filter{
		{Dimension: storage.ByModel, Values: []string{"model*"}},
		{Dimension: storage.ByKey, Values: []string{"k1", "k3"}},
		{Dimension: storage.ByTag, Values: []string{"team=a"}},
		{Dimension: storage.ByUser, Values: []string{"", "b*"}},
	}
	for _, i := range random.Perm(len(filters))[:random.IntN(3)] {
		q.Where = append(q.Where, filters[i])
	}
	return q
}
