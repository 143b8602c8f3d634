package journal

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/ledger"
)

const (
	// isolateAfter is after how many failures of a batch its parts are tried.
	isolateAfter = 3
	// maxProbes is how many parts may fail in a row before the ledger as a whole is blamed: past
	// the way from a full batch down to one entry.
	maxProbes = 24
	// refuseAfter is how often an entry must fail alone, each time while others got through.
	refuseAfter = 10
	// refusedName is the file under Options.Dir that refused entries are kept in, as JSON lines.
	refusedName = "refused.jsonl"
)

// entryKey is what a ledger tells entries apart by.
type entryKey struct {
	id                uuid.UUID
	attempt, revision int
}

// probe is one search for the entries that a ledger does not take.
type probe struct {
	left   map[entryKey]error
	passed int
	failed int
}

// isolate looks for entries that hold up all others. Where the ledger says that it is an
// entry's own fault (ledger.ErrEntry), that one is refused at once. Any other error does not say
// whose fault it is: then an entry is blamed only if it fails alone while others of its batch
// get through, ten times. Where nothing gets through, or the error is one of the network or of
// time, the ledger is blamed, and everything waits. What is refused goes to a file. It gives
// cause where entries are left.
func (s *shipper) isolate(ctx context.Context, cause error) error {
	surely := errors.Is(cause, ledger.ErrEntry)
	if !surely && (s.fails < isolateAfter || transient(cause)) || ctx.Err() != nil {
		return cause
	}
	p := probe{left: map[entryKey]error{}}
	s.try(ctx, s.batch, &p)
	s.shipped += p.passed
	if p.passed > 0 {
		s.fails = isolateAfter - 1
	}
	s.batch = slices.DeleteFunc(s.batch, func(e storage.Entry) bool {
		why, left := p.left[keyOf(&e)]
		return !left || s.guilty(&e, why, p.passed > 0) && s.refuse(&e, why)
	})
	if len(s.batch) > 0 {
		return cause
	}
	s.well()
	return s.delivered()
}

func (s *shipper) guilty(e *storage.Entry, why error, othersPassed bool) bool {
	if othersPassed {
		s.suspects[keyOf(e)]++
	}
	return errors.Is(why, ledger.ErrEntry) || s.suspects[keyOf(e)] >= refuseAfter
}

func keyOf(e *storage.Entry) entryKey { return entryKey{e.RequestID, e.Attempt, e.Revision} }

// try writes the entries in ever smaller parts.
func (s *shipper) try(ctx context.Context, part []storage.Entry, p *probe) {
	err := errTooMany
	if p.passed > 0 || p.failed < maxProbes {
		err = s.write(ctx, part)
	}
	if err == nil {
		p.passed += len(part)
		return
	}
	p.failed++
	if len(part) == 1 || errors.Is(err, errTooMany) || ctx.Err() != nil {
		for i := range part {
			p.left[keyOf(&part[i])] = err
		}
		return
	}
	half := len(part) / 2
	s.try(ctx, part[:half], p)
	s.try(ctx, part[half:], p)
}

var errTooMany = errors.New("too many parts failed")

// transient reports whether an error is surely not an entry's fault.
func transient(err error) bool {
	var network net.Error
	var system syscall.Errno
	return errors.Is(err, storage.ErrLedgerUnavailable) || errors.As(err, &network) || errors.As(err, &system) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// refusal is one line of the file. Entry is whole, in its own encoding, to be written again when
// the cause is gone.
type refusal struct {
	Time      time.Time `json:"time"`
	Error     string    `json:"error"`
	RequestID uuid.UUID `json:"request_id"`
	Attempt   int       `json:"attempt"`
	Revision  int       `json:"revision"`
	Entry     []byte    `json:"entry"`
}

// refuse keeps an entry that the ledger does not take in a file, durably, and counts it as lost:
// it is missing in the ledger until somebody looks. It reports whether it could.
func (s *shipper) refuse(e *storage.Entry, why error) bool {
	line, err := json.Marshal(refusal{
		Time: time.Now().UTC(), Error: why.Error(),
		RequestID: e.RequestID, Attempt: e.Attempt, Revision: e.Revision, Entry: e.Append(nil),
	})
	if err == nil {
		err = appendLine(filepath.Join(s.o.Dir, refusedName), append(line, '\n'))
	}
	if err != nil {
		s.sayOnce(refusedName, "a refused entry can't be kept, and is tried on", err)
		return false
	}
	s.o.Lost(1)
	s.o.Log.Error("the ledger refuses an entry; it is kept in "+refusedName+" beside the journal",
		"request_id", e.RequestID, "attempt", e.Attempt, "err", why)
	return true
}

func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Sync(), f.Close())
}
