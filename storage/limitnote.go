package storage

// LimitKind is what a limit counts.
type LimitKind uint8

// The kinds.
const (
	LimitRequests LimitKind = iota
	LimitTokens
	LimitConcurrency
	LimitBudget
	// LimitKinds is how many there are.
	LimitKinds
)

var limitKinds = [LimitKinds]string{"requests", "tokens", "concurrency", "budget"}

// String names the kind as metrics do.
func (k LimitKind) String() string {
	if k < LimitKinds {
		return limitKinds[k]
	}
	return "unknown"
}

// LimitSet is some of the kinds.
type LimitSet uint8

// Add puts a kind into the set.
func (s *LimitSet) Add(k LimitKind) { *s |= 1 << k }

// Has reports whether the set has a kind.
func (s LimitSet) Has(k LimitKind) bool { return s&(1<<k) != 0 }

// LimitNote says what a request heard of its limits. A kind that admitted one attempt may have
// refused another.
type LimitNote struct {
	Admitted, Refused LimitSet
	Degraded          bool // the counters that nodes share were out of reach
}

// Join adds what another attempt heard.
func (n *LimitNote) Join(other LimitNote) {
	n.Admitted |= other.Admitted
	n.Refused |= other.Refused
	n.Degraded = n.Degraded || other.Degraded
}
