package journal

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/uuid"
)

// skip is a stretch that a tail passed over.
type skip struct {
	at    place
	bytes int64
	atEnd bool
}

// reads gives the ids that a tail finds in segments with these bytes, and what it skips.
func reads(t *testing.T, id uuid.UUID, segments ...[]byte) (ids []uuid.UUID, skips []skip) {
	t.Helper()
	r := &run{id: id, dir: t.TempDir()}
	for i, b := range segments {
		if err := os.WriteFile(r.segment(i+1), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	extents, err := r.extents()
	if err != nil {
		t.Fatal(err)
	}
	tail := newTail(r, func(at place, bytes int64, atEnd bool) { skips = append(skips, skip{at, bytes, atEnd}) })
	defer tail.close()
	for {
		rec, where, ok, err := tail.next(extents)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return ids, skips
		}
		again, err := tail.recordAt(where)
		if err != nil || again.of != rec.of {
			t.Fatalf("read again: %v, %v", again, err)
		}
		ids = append(ids, rec.of.id)
	}
}

// written makes n records of a run; ends are where each one ends.
func writtenRecords(run uuid.UUID, n int) (b []byte, ids []uuid.UUID, ends []int) {
	for range n {
		e := settled(newID())
		b = appendRecord(b, seedOf(run), e)
		ids, ends = append(ids, e.RequestID), append(ends, len(b))
	}
	return b, ids, ends
}

func TestTail_Reads(t *testing.T) {
	id := newID()
	one, first, _ := writtenRecords(id, 3000) // longer than the buffer
	two, second, _ := writtenRecords(id, 5)
	got, skips := reads(t, id, one, nil, two)
	if !slices.Equal(got, slices.Concat(first, second)) || len(skips) != 0 {
		t.Errorf("%d of %d records, skipped %v", len(got), len(first)+len(second), skips)
	}
}

func TestTail_SkipsDamage(t *testing.T) {
	id := newID()
	const n = 40
	f := func(what string, damage func(b []byte, ends []int) []byte, lost []int, want ...skip) {
		t.Helper()
		b, ids, ends := writtenRecords(id, n)
		b = damage(b, ends)
		got, skips := reads(t, id, b)
		for i := len(ids) - 1; i >= 0; i-- {
			if slices.Contains(lost, i) {
				ids = slices.Delete(ids, i, i+1)
			}
		}
		if !slices.Equal(got, ids) || !slices.Equal(skips, want) {
			t.Errorf("%s: %d of %d records; skipped %v, want %v", what, len(got), len(ids), skips, want)
		}
	}
	_, _, at := writtenRecords(id, n) // all records are of one length
	size := int64(at[0])
	f("a flipped bit", func(b []byte, ends []int) []byte {
		b[ends[6]+30] ^= 4
		return b
	}, []int{7}, skip{place{1, 7 * size}, size, false})
	f("a length that is too long", func(b []byte, ends []int) []byte {
		b[ends[6]+2]++
		return b
	}, []int{7}, skip{place{1, 7 * size}, size, false})
	f("a length past the end", func(b []byte, ends []int) []byte {
		b[ends[n-2]]++
		return b
	}, []int{n - 1}, skip{place{1, (n - 1) * size}, size, true})
	f("a half-written last record", func(b []byte, _ []int) []byte {
		return b[:len(b)-7]
	}, []int{n - 1}, skip{place{1, (n - 1) * size}, size - 7, true})
	f("a zeroed end", func(b []byte, _ []int) []byte {
		return append(b, make([]byte, 70<<10)...)
	}, nil)
	f("half a record and a zeroed end", func(b []byte, _ []int) []byte {
		return append(b[:len(b)-7], make([]byte, 70<<10)...)
	}, []int{n - 1}, skip{place{1, (n - 1) * size}, size - 7 + 70<<10, true})
	f("zeros in the middle", func(b []byte, ends []int) []byte {
		clear(b[ends[9]:ends[14]])
		return b
	}, []int{10, 11, 12, 13, 14}, skip{place{1, 10 * size}, 5 * size, false})
	f("something in front", func(b []byte, _ []int) []byte {
		return append(bytes.Repeat([]byte{1, 0, 0, 0}, 50), b...)
	}, nil, skip{place{1, 0}, 200, false})
	f("twice", func(b []byte, ends []int) []byte {
		b[ends[1]+9], b[ends[3]+9] = b[ends[1]+9]+1, b[ends[3]+9]+1
		return b
	}, []int{2, 4}, skip{place{1, 2 * size}, size, false}, skip{place{1, 4 * size}, size, false})
}

// Bytes that a caller made look like a record, inside a damaged one, are of another run: their
// checksum began elsewhere.
func TestTail_TakesNoForgery(t *testing.T) {
	id := newID()
	forged := appendRecord(nil, seedOf(newID()), settled(newID()))
	carrier := settled(newID())
	carrier.UsageRaw = forged
	b := appendRecord(nil, seedOf(id), carrier)
	b[9]++
	if got, _ := reads(t, id, b); len(got) != 0 {
		t.Errorf("took %v", got)
	}
}

// Damage takes only the records it touches, whatever it is.
func TestTail_RandomDamage(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	id := newID()
	for range 20 {
		b, ids, ends := writtenRecords(id, 300)
		touched := map[int]bool{}
		for range 1 + random.IntN(6) {
			from := random.IntN(len(b))
			to := min(len(b), from+1+random.IntN(5000))
			for i := from; i < to; i++ {
				b[i] = byte(random.Uint32())
			}
			for i, end := range ends {
				start := 0
				if i > 0 {
					start = ends[i-1]
				}
				touched[i] = touched[i] || from < end && start < to
			}
		}
		got, _ := reads(t, id, b)
		for i, one := range ids {
			if !touched[i] && !slices.Contains(got, one) {
				t.Fatalf("record %d is not damaged, and not read", i)
			}
		}
		for _, one := range got {
			if !slices.Contains(ids, one) {
				t.Fatalf("%s was never written", one)
			}
		}
	}
}

func FuzzTail(f *testing.F) {
	id := uuid.MustParse("0198c2a4-7d1e-7b3c-9a55-0123456789ab")
	b, _, _ := writtenRecords(id, 1) // short seeds: the engine spends its time on making long ones shorter
	f.Add(b)
	f.Add(append(b[:50], b...))
	f.Add(make([]byte, 90))
	f.Add(bytes.Repeat([]byte{1, 0, 0, 0}, 30))
	f.Fuzz(func(t *testing.T, b []byte) {
		read, skipped := int64(0), int64(0)
		ids, skips := reads(t, id, b)
		for _, s := range skips {
			skipped += s.bytes
		}
		if read = int64(len(b)) - skipped; read < int64(len(ids)*(headSize+18)) {
			t.Errorf("%d records in %d bytes", len(ids), read)
		}
	})
}
