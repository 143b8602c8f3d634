package proxy

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestNewID(t *testing.T) {
	began := time.Date(2026, 11, 28, 4, 30, 0, 0, time.UTC)
	seen := map[uuid.UUID]bool{}
	var last uuid.UUID
	for i := range 20_000 {
		now := began.Add(time.Duration(i) * 250 * time.Nanosecond)
		id := newID(now)
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
			t.Fatalf("%s: version %d, variant %s", id, id.Version(), id.Variant())
		}
		if sec, nsec := id.Time().UnixTime(); sec != now.Unix() || time.Duration(nsec).Milliseconds() != int64(now.Nanosecond())/1e6 {
			t.Fatalf("%s: made at %d.%d, and not at %s", id, sec, nsec, now)
		}
		if bytes.Compare(last[:8], id[:8]) >= 0 {
			t.Fatalf("%s comes before %s", id, last)
		}
		last = id
	}
	for range 20_000 {
		id := newID(began)
		if seen[id] {
			t.Fatalf("%s twice", id)
		}
		seen[id] = true
	}
}
