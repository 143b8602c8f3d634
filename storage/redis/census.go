package redis

import (
	"slices"
	"sync"
	"time"
)

// census knows how many nodes there are.
type census struct {
	mu     sync.Mutex
	nodes  int
	counts []counted // of the last beatFor, without a gap
}

type counted struct {
	nodes int
	at    time.Time
}

func (n *census) expect(nodes int) { n.nodes = max(1, nodes) }

// count notes how many nodes Redis knows. Fewer than before are believed only when it has said
// so for long enough: one that comes back empty knows nobody, and each node would then take the
// share of all.
func (n *census) count(nodes int, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last := len(n.counts) - 1; last >= 0 && now.Sub(n.counts[last].at) > 3*beatEvery {
		n.counts = nil
	}
	n.counts = append(n.counts, counted{nodes, now})
	if now.Sub(n.counts[0].at) < beatFor {
		n.nodes = max(n.nodes, nodes)
		return
	}
	n.nodes = slices.MaxFunc(n.counts, func(a, b counted) int { return a.nodes - b.nodes }).nodes
	n.counts = slices.DeleteFunc(n.counts, func(c counted) bool { return now.Sub(c.at) >= beatFor })
}

// Nodes is how many nodes share the counters, by what Redis last said; at least 1.
func (c *Counters) Nodes() int {
	c.nodes.mu.Lock()
	defer c.nodes.mu.Unlock()
	return c.nodes.nodes
}
