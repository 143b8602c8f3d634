package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/aistrale/aistrale/providers"
)

// intake is a client's body as it comes: unpacked, counted, and no longer than it may be.
type intake struct {
	f     *flight
	src   io.Reader
	done  func() // lets go of what unpacks; nil where nothing does
	limit int64  // of the body, unpacked
	total int64  // read so far, unpacked
	spare int    // what may still be read of a part's head; -1 no bound
	given int64  // of total, what the client has been given more time for
	err   error  // why reading ended early
}

// errHead ends the reading of a part whose head is too long.
var errHead = errors.New("the head of a part is too long")

// newIntake makes ready to read the flight's body, as its content-encoding says.
func (f *flight) newIntake(limit int64) (*intake, error) {
	in := &f.intake
	*in = intake{f: f, src: f.fc.RequestBodyStream(), limit: limit, spare: -1}
	if in.src == nil {
		in.src = bytes.NewReader(nil)
	}
	switch encoding := f.fc.Request.Header.Peek("content-encoding"); {
	case len(encoding) == 0 || bytes.EqualFold(encoding, []byte("identity")):
	case bytes.EqualFold(encoding, []byte("gzip")):
		z, err := gzip.NewReader(in.src)
		if err != nil {
			return nil, providers.Invalid("", "The request body is not valid gzip.")
		}
		in.src, in.done = z, func() { _ = z.Close() }
	case bytes.EqualFold(encoding, []byte("zstd")):
		z, err := zstd.NewReader(in.src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(limit)+1<<20), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, providers.Invalid("", "The request body is not valid zstd.")
		}
		in.src, in.done = z, z.Close
	default:
		return nil, &providers.Fault{Kind: providers.FaultMediaType, NoRetry: true,
			Message: fmt.Sprintf("Unsupported content-encoding %q; send the body as it is, or packed with gzip or zstd.", clean(encoding))}
	}
	return in, nil
}

// close lets go of what unpacks the body.
func (in *intake) close() {
	if in.done != nil {
		in.done()
		in.done = nil
	}
}

// Read implements io.Reader. Its errors but for io.EOF are faults.
func (in *intake) Read(p []byte) (int, error) {
	switch {
	case in.err != nil:
		return 0, in.err
	case in.spare == 0:
		return 0, errHead
	case in.spare > 0:
		p = p[:min(len(p), in.spare)]
	}
	if in.f.left() != nil {
		in.err = in.f.unread(errClientGone)
		return 0, in.err
	}
	n, err := in.src.Read(p)
	in.total += int64(n)
	if in.spare > 0 {
		in.spare -= n
	}
	if in.total > in.limit {
		in.err = tooLarge(in.limit)
		return 0, in.err
	}
	if in.total-in.given >= largeBody {
		in.given = in.total
		in.f.grant(int(in.total))
	}
	switch {
	case err == nil:
	case !errors.Is(err, io.EOF) || in.short():
		in.err = in.f.unread(err)
		err = in.err
	default:
		err = io.EOF
	}
	return n, err
}

// short reports whether the body has ended before its end. The library takes a cut of the
// connection for the end.
func (in *intake) short() bool {
	length := in.f.fc.Request.Header.ContentLength()
	if length >= 0 {
		return in.done == nil && in.total < int64(length)
	}
	return hungUp(in.f.conn)
}
