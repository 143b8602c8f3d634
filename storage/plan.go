package storage

// Candidate is a place that a call might have gone to, and what became of it there.
type Candidate struct {
	Provider   string `json:"provider"`
	Model      string `json:"model" doc:"The provider's own name of it"`
	Credential string `json:"credential,omitempty" doc:"Its name"`
	Fate       Fate   `json:"fate" enum:"served,next,failed,hedged,refused,spare,given_up,not_allowed,no_account,no_operation,region,objects,breaker_open,cooling,aside"`
	Fault      string `json:"fault,omitempty" doc:"Code of what it failed with, or was refused by"`
}

// Fate is what became of a candidate, or why it was passed over.
type Fate string

// The fates. Those from FateSpare on were not asked.
const (
	FateServed  Fate = "served"
	FateNext    Fate = "next" // of a dry run: it would be asked
	FateFailed  Fate = "failed"
	FateHedged  Fate = "hedged"  // asked too, and another was faster
	FateRefused Fate = "refused" // by the gateway for this place: a limit, a price, a credential, the words of the language

	FateSpare       Fate = "spare"        // another served first
	FateGivenUp     Fate = "given_up"     // an earlier failure does not move on
	FateNotAllowed  Fate = "not_allowed"  // the key may not use it
	FateNoAccount   Fate = "no_account"   // no such provider is configured
	FateNoOperation Fate = "no_operation" // its provider does not serve the operation
	FateRegion      Fate = "region"       // outside of the regions that the workspace is kept to
	FateObjects     Fate = "objects"      // another account keeps what the call names
	FateBreaker     Fate = "breaker_open" // its circuit is open
	FateCooling     Fate = "cooling"      // it asked to be left alone for a while
	FateAside       Fate = "aside"        // its credential was refused, and is set aside
)

// Says is the fate in a few words, for people.
func (f Fate) Says() string {
	switch f {
	case FateServed:
		return "it answered"
	case FateNext:
		return "it would be asked"
	case FateFailed:
		return "it was asked, and failed"
	case FateHedged:
		return "it was asked too, and another was faster"
	case FateRefused:
		return "the gateway refused the call for it"
	case FateSpare:
		return "it was not needed"
	case FateGivenUp:
		return "what failed before does not move on to it"
	case FateNotAllowed:
		return "the key may not use it"
	case FateNoAccount:
		return "no such provider is configured"
	case FateNoOperation:
		return "its provider does not serve this operation"
	case FateRegion:
		return "it is outside of the workspace's regions"
	case FateObjects:
		return "another account keeps what the call names"
	case FateBreaker:
		return "its circuit breaker is open"
	case FateCooling:
		return "it asked to be left alone for a while"
	case FateAside:
		return "its credential was refused, and is set aside"
	}
	return string(f)
}

// Hold is what an attempt held of one limit or budget.
type Hold struct {
	Counter string `json:"counter" doc:"rate:, slot: or budget:, whose it is, and what it counts"`
	Unit    Unit   `json:"unit" enum:"requests,calls,tokens,nano_usd"`
	Limit   int64  `json:"limit"`
	Held    int64  `json:"held" doc:"Reserved before it was sent"`
	Spent   int64  `json:"spent" doc:"Charged when it had ended"`
}

// Unit is what a counter counts.
type Unit string

// The units.
const (
	UnitRequests Unit = "requests"
	UnitCalls    Unit = "calls" // under way at once
	UnitTokens   Unit = "tokens"
	UnitNano     Unit = "nano_usd"
)
