package storage

import "time"

// Pool is how a store's pool of connections stands.
type Pool struct {
	Store, Name        string // postgres, writer
	InUse, Idle, Limit int
	Waits              int64         // questions that waited for a connection
	Waited             time.Duration // all of them together
}
