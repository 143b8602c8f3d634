package journal

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// A record is the length of its payload and the payload's checksum, both 4 bytes, little-endian,
// then the payload: the state in a byte, the attempt as a varint, the encoded entry. State and
// attempt stand in front of the entry, so that opened records are read without decoding it.
const (
	headSize   = 8
	maxPayload = storage.MaxEntry + 16
)

// stateVoid marks an opened entry whose attempt was refused after all, because the disk failed
// while it was being made durable.
const stateVoid storage.EntryState = 0xff

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seedOf starts a run's checksums. Runs differ, so that bytes of another run, or bytes that a
// caller made look like a record, are never taken for one where damage is skipped.
func seedOf(run uuid.UUID) uint32 { return crc32.Checksum(run[:], castagnoli) }

// attempt names an attempt.
type attempt struct {
	id uuid.UUID
	n  int
}

// record is one that was read. entry is encoded and lives until the next one is read.
type record struct {
	state storage.EntryState
	of    attempt
	entry []byte
	size  int // with its head
}

// isSettled reports whether the ledger is to have the record.
func isSettled(r record) bool { return r.state != storage.EntryOpened && r.state != stateVoid }

func appendRecord(dst []byte, seed uint32, e *storage.Entry) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0, byte(e.State))
	dst = binary.AppendUvarint(dst, uint64(e.Attempt))
	dst = e.Append(dst)
	payload := dst[start+headSize:]
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(dst[start+4:], crc32.Update(seed, castagnoli, payload))
	return dst
}

// parseRecord reads the record that b begins with; ok is false where it begins with none.
func parseRecord(b []byte, seed uint32) (r record, ok bool) {
	if len(b) < headSize {
		return r, false
	}
	length := int64(binary.LittleEndian.Uint32(b))
	if length == 0 || length > maxPayload || headSize+length > int64(len(b)) {
		return r, false
	}
	payload := b[headSize : headSize+length]
	if crc32.Update(seed, castagnoli, payload) != binary.LittleEndian.Uint32(b[4:]) {
		return r, false
	}
	n, size := binary.Uvarint(payload[1:])
	if size <= 0 || len(payload) < 1+size+len(r.of.id) {
		return r, false
	}
	r.state, r.entry, r.size = storage.EntryState(payload[0]), payload[1+size:], headSize+int(length)
	r.of.n = int(n)
	copy(r.of.id[:], r.entry)
	return r, true
}
