package redis

import "sync"

// namesMost bounds what names keep: with each day there are counters of new windows.
const namesMost = 20000

// names are the keys of counters and places, each made once.
type names struct {
	mu     sync.RWMutex
	by     map[string]*name
	places map[string]string
}

// name is a counter's own key, and those beside it of a budget.
type name struct{ key, leases, known string }

func (n *names) of(counter string) *name {
	n.mu.RLock()
	one := n.by[counter]
	n.mu.RUnlock()
	if one != nil {
		return one
	}
	key := keyOf(counter)
	one = &name{key, keyLeases(key), keyKnown(key)}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.by == nil || len(n.by) >= namesMost {
		n.by = map[string]*name{}
	}
	n.by[counter] = one
	return one
}

// born is keyBorn.
func (n *names) born(place string) string {
	n.mu.RLock()
	key := n.places[place]
	n.mu.RUnlock()
	if key != "" {
		return key
	}
	key = keyBorn(place)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.places == nil || len(n.places) >= namesMost {
		n.places = map[string]string{}
	}
	n.places[place] = key
	return key
}
