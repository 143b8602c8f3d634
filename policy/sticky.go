package policy

import (
	"math"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Warm remembers where the calls of a session, or of a prompt, were served last: the provider's
// cache is warm there. It forgets what was not used for a while, and never grows.
type Warm struct {
	locks [64]sync.Mutex
	slots [1 << 14]warmth
}

type warmth struct {
	key, place uint64
	until      int64 // Unix nanoseconds
}

// The time for which a place stays warm after a call: of a prompt the shortest that providers
// keep it for.
const (
	warmPrefix  = 5 * time.Minute
	warmSession = 30 * time.Minute
)

// Find gives the place where a key's last call was served.
func (w *Warm) Find(key uint64, now time.Time) (place uint64, ok bool) {
	lock, slot := w.at(key)
	lock.Lock()
	defer lock.Unlock()
	return slot.place, slot.key == key && now.UnixNano() < slot.until
}

// Keep notes where a call was served. Another key of the same slot is forgotten.
func (w *Warm) Keep(key, place uint64, by Sticky, now time.Time) {
	stays := warmSession
	if by == StickyPrefix {
		stays = warmPrefix
	}
	lock, slot := w.at(key)
	lock.Lock()
	defer lock.Unlock()
	*slot = warmth{key, place, now.Add(stays).UnixNano()}
}

func (w *Warm) at(key uint64) (*sync.Mutex, *warmth) {
	i := key % uint64(len(w.slots))
	return &w.locks[i%uint64(len(w.locks))], &w.slots[i]
}

// Hash of the place: the same on every node.
func (p *Place) Hash() uint64 {
	return HashParts(p.Provider, p.Credential, p.Model)
}

// HashParts hashes strings so that ("ab", "c") and ("a", "bc") differ. It is the same on every
// node.
func HashParts(parts ...string) uint64 {
	h := uint64(len(parts))
	for _, s := range parts {
		h = mix(h, xxhash.Sum64String(s))
	}
	return h
}

// Rendezvous is the index, below n, of the place that a key belongs to: each place gets its
// weight's share of keys (all alike where nothing has a weight), and where one comes or goes only
// its own share moves.
func Rendezvous(key uint64, n int, place func(i int) (hash uint64, weight int)) int {
	weighted := false
	for i := range n {
		_, w := place(i)
		weighted = weighted || w > 0
	}
	best, score := 0, math.Inf(1)
	for i := range n {
		hash, w := place(i)
		if !weighted {
			w = 1
		}
		if w <= 0 {
			continue
		}
		// -ln(u)/w of a uniform u is least with a chance of w's share.
		u := (float64(mix(key, hash)>>11) + 0.5) / (1 << 53)
		if s := -math.Log(u) / float64(w); s < score {
			best, score = i, s
		}
	}
	return best
}

// mix spreads two hashes over 64 bits (the finalizer of splitmix64).
func mix(a, b uint64) uint64 {
	z := a*0x9e3779b97f4a7c15 + b
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
