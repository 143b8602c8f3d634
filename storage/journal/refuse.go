package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
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

// probe is one search for the entries that a ledger does not take.
type probe struct {
	left   []storage.Entry
	why    []error
	passed int
	failed int
}

// isolate looks for entries that hold up all others. An error alone does not say whose fault it
// is. So an entry is blamed only if it fails alone while others of its batch get through, ten
// times; then it goes to a file. Where nothing gets through, or the error is one of the network
// or of time, the ledger is blamed, and everything waits. It gives cause where entries are left.
func (s *shipper) isolate(ctx context.Context, cause error) error {
	if s.fails < isolateAfter || transient(cause) || ctx.Err() != nil {
		return cause
	}
	var p probe
	s.try(ctx, s.batch, &p)
	s.shipped += p.passed
	if p.passed == 0 {
		return cause
	}
	s.fails = isolateAfter - 1
	kept := s.batch[:0]
	for i := range p.left {
		e := &p.left[i]
		of := attempt{e.RequestID, e.Attempt}
		s.suspects[of]++
		if s.suspects[of] >= refuseAfter {
			err := s.refuse(e, p.why[i])
			if err == nil {
				continue
			}
			s.sayOnce(refusedName, "a refused entry can't be kept, and is tried on", err)
		}
		kept = append(kept, *e)
	}
	s.batch = kept
	if len(kept) > 0 {
		return cause
	}
	clear(s.suspects)
	s.fails = 0
	return s.delivered()
}

// try writes the entries in ever smaller parts.
func (s *shipper) try(ctx context.Context, part []storage.Entry, p *probe) {
	err := errTooMany
	if p.passed > 0 || p.failed < maxProbes {
		err = s.write(ctx, part)
	}
	switch {
	case len(part) == 0:
	case err == nil:
		p.passed += len(part)
	case len(part) == 1 || errors.Is(err, errTooMany) || ctx.Err() != nil:
		p.failed++
		for i := range part {
			p.left, p.why = append(p.left, part[i]), append(p.why, err)
		}
	default:
		p.failed++
		half := len(part) / 2
		s.try(ctx, part[:half], p)
		s.try(ctx, part[half:], p)
	}
}

var errTooMany = errors.New("too many parts failed")

// transient reports whether an error is surely not an entry's fault.
func transient(err error) bool {
	var network net.Error
	var system syscall.Errno
	return errors.Is(err, storage.ErrLedgerUnavailable) || errors.As(err, &network) || errors.As(err, &system) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

type refusal struct {
	Time  time.Time     `json:"time"`
	Error string        `json:"error"`
	Entry storage.Entry `json:"entry"`
}

// refuse keeps an entry that the ledger does not take in a file, durably, and counts it as lost:
// it is missing in the ledger until somebody looks.
func (s *shipper) refuse(e *storage.Entry, why error) error {
	line, err := json.Marshal(refusal{Time: time.Now().UTC(), Error: why.Error(), Entry: *e})
	if err == nil {
		err = appendLine(filepath.Join(s.o.Dir, refusedName), append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep a refused entry: %w", err)
	}
	s.o.Lost(1)
	s.o.Log.Error("the ledger refuses an entry; it is kept in "+refusedName+" beside the journal",
		"request_id", e.RequestID, "attempt", e.Attempt, "err", why)
	return nil
}

func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Sync(), f.Close())
}
