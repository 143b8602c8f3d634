package proxy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aistrale/aistrale/providers"
)

// spoolMemory is how much of a spool stays in memory.
const spoolMemory = 256 << 10

// spool keeps a client's bytes until they can be sent: few in memory, more in a file that has no
// name any more, so that nothing of it outlives the process.
type spool struct {
	dir    string // where the file stands; "" is the system's own place for such files
	disk   *budget
	memory []byte
	file   *os.File
	size   int64
}

// Write implements io.Writer. Its errors are faults.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.memory)+len(p) <= spoolMemory {
		s.memory = append(s.memory, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		if err := s.open(); err != nil {
			return 0, err
		}
	}
	if !s.disk.take(int64(len(p))) {
		return 0, &providers.Fault{Kind: providers.FaultUnavailable, Code: "overloaded", Retryable: true, RetryAfter: time.Second,
			Message: "The gateway is handling too many large requests at once. Please retry shortly.",
			Cause:   errors.New("upload_disk is used up")}
	}
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		s.disk.give(int64(len(p) - n))
		return n, spoolFault(err)
	}
	return n, nil
}

func (s *spool) open() error {
	if s.dir != "" {
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return spoolFault(err)
		}
	}
	file, err := os.CreateTemp(s.dir, "upload-*") // 0600
	if err != nil {
		return spoolFault(err)
	}
	s.file = file
	if err := os.Remove(file.Name()); err != nil {
		return spoolFault(err)
	}
	return nil
}

// section gives size bytes from off on.
func (s *spool) section(off, size int64) io.Reader { return io.NewSectionReader(s, off, size) }

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(p []byte, off int64) (n int, err error) {
	if held := int64(len(s.memory)); off < held {
		n = copy(p, s.memory[off:])
		if n == len(p) {
			return n, nil
		}
		p, off = p[n:], held
	}
	if s.file == nil {
		return n, io.EOF
	}
	m, err := s.file.ReadAt(p, off-int64(len(s.memory)))
	return n + m, err
}

// close forgets everything.
func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close() // it has no name, so that is its end
		s.disk.give(s.size - int64(len(s.memory)))
	}
	s.file, s.memory, s.size = nil, nil, 0
}

func spoolFault(err error) error {
	return &providers.Fault{Kind: providers.FaultInternal, NoRetry: true, Message: "The gateway could not keep the upload.",
		Cause: fmt.Errorf("keep an upload under data_dir: %w", err)}
}
