package postgres

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// array is a one-dimensional array of a parameter, in PostgreSQL's binary form. The driver's own
// encoding costs a call by interface, and mostly an allocation, for each element.
type array struct {
	buf   []byte
	n     uint32
	nulls uint32 // 1 where there is a NULL
}

// head is the length of an array's head: dimensions, flags, element type, length, lower bound.
const head = 20

// reset empties the array for elements of a type.
func (a *array) reset(oid uint32) {
	a.buf = append(a.buf[:0], make([]byte, head)...)
	binary.BigEndian.PutUint32(a.buf[8:], oid)
	a.n, a.nulls = 0, 0
}

// done gives the array. It is good until the next reset.
func (a *array) done() []byte {
	binary.BigEndian.PutUint32(a.buf[4:], a.nulls)
	if a.n == 0 {
		return a.buf[:12] // an array without elements has no dimensions
	}
	binary.BigEndian.PutUint32(a.buf, 1)
	binary.BigEndian.PutUint32(a.buf[12:], a.n)
	binary.BigEndian.PutUint32(a.buf[16:], 1)
	return a.buf
}

func (a *array) null() {
	a.n++
	a.nulls = 1
	a.buf = append(a.buf, 0xff, 0xff, 0xff, 0xff)
}

func (a *array) int8(v int64) {
	a.n++
	a.buf = append(a.buf, 0, 0, 0, 8)
	a.buf = binary.BigEndian.AppendUint64(a.buf, uint64(v))
}

func (a *array) int4(v int) {
	a.n++
	a.buf = append(a.buf, 0, 0, 0, 4)
	a.buf = binary.BigEndian.AppendUint32(a.buf, uint32(v))
}

func (a *array) bool(v bool) {
	a.n++
	a.buf = append(a.buf, 0, 0, 0, 1, 0)
	if v {
		a.buf[len(a.buf)-1] = 1
	}
}

func (a *array) text(v string) {
	v = clean(v)
	a.n++
	a.buf = binary.BigEndian.AppendUint32(a.buf, uint32(len(v)))
	a.buf = append(a.buf, v...)
}

func (a *array) uuid(v uuid.UUID) {
	a.n++
	a.buf = append(a.buf, 0, 0, 0, 16)
	a.buf = append(a.buf, v[:]...)
}

// entry puts an entry's own encoding in a bytea.
func (a *array) entry(e *storage.Entry) {
	a.n++
	a.buf = append(a.buf, 0, 0, 0, 0)
	from := len(a.buf)
	a.buf = e.Append(a.buf)
	binary.BigEndian.PutUint32(a.buf[from-4:], uint32(len(a.buf)-from))
}

// PostgreSQL counts time from here.
const (
	epochSeconds = 946684800 // 2000-01-01
	epochDays    = epochSeconds / 86400
)

func (a *array) time(v time.Time) { a.int8(v.UnixMicro() - epochSeconds*1e6) }

func (a *array) date(v time.Time) { a.int4(int(v.Unix()/86400) - epochDays) }
