package proxy

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// newID makes the id of a request that began at now: a UUID of version 7, whose order is that of
// time to a quarter of a microsecond. It need not be hard to guess, so it takes no randomness from
// the system and waits for no other request.
// Source: https://www.rfc-editor.org/rfc/rfc9562#section-5.7 (and 6.2, method 3)
func newID(now time.Time) uuid.UUID {
	const version, variant = 7 << 12, 1 << 63
	ns := uint64(now.UnixNano())
	ms, part := ns/1e6, ns%1e6
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], ms<<16|version|part<<12/1e6)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()>>2|variant) //nolint:gosec // no secret
	return id
}
