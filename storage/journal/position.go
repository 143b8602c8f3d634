package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
)

// place is an offset in one of a run's segments.
type place struct {
	seq int
	off int64
}

func (p place) before(q place) bool { return p.seq < q.seq || p.seq == q.seq && p.off < q.off }

const positionSize = 20

// readPosition gives the place up to which a run's settled entries are in the ledger, or its
// begin where that is not known: then some are sent again, and count once all the same.
func readPosition(r *run) place {
	b, err := os.ReadFile(filepath.Join(r.dir, positionName))
	if err != nil || len(b) != positionSize || crc32.Update(seedOf(r.id), castagnoli, b[:16]) != binary.LittleEndian.Uint32(b[16:]) {
		return place{}
	}
	return place{seq: int(binary.LittleEndian.Uint64(b)), off: int64(binary.LittleEndian.Uint64(b[8:]))}
}

// writePosition is not made durable: a stale place is as good, only slower.
func writePosition(r *run, p place) error {
	f, err := os.OpenFile(filepath.Join(r.dir, positionName), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var b [positionSize]byte
	binary.LittleEndian.PutUint64(b[:], uint64(p.seq))
	binary.LittleEndian.PutUint64(b[8:], uint64(p.off))
	binary.LittleEndian.PutUint32(b[16:], crc32.Update(seedOf(r.id), castagnoli, b[:16]))
	_, err = f.WriteAt(b[:], 0)
	return errors.Join(err, f.Close())
}

func sortPlaces(all []place) {
	slices.SortFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.off, b.off))
	})
}
