package storage

import "time"

// Keep says how long a ledger keeps what. 0 is for ever.
type Keep struct {
	Rows    time.Duration // the entries themselves
	Minutes time.Duration // roll-ups by minute; what is older is answered from the hours
	Hours   time.Duration // roll-ups by hour; what is older is answered from the days
	Days    time.Duration // roll-ups by day; what is older is gone
}
