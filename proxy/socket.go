package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// socket is one end of a WebSocket. One goroutine reads, any may write.
type socket struct {
	conn  net.Conn
	r     io.Reader
	state ws.State      // the reader's: whose end it is, and whether a message is under way
	masks bool          // what is written, as clients have to
	limit int           // bytes of a message
	wait  time.Duration // for the other end to take a message

	mu     sync.Mutex // of writes
	closed bool       // a close has been said
}

// closedError is the other end's word that it has done.
type closedError struct {
	code   ws.StatusCode
	reason string
}

func (e *closedError) Error() string {
	return fmt.Sprintf("the other end closed the connection (%d %s)", e.code, e.reason)
}

var errMessageTooLong = errors.New("a message is longer than the limit")

// next gives the next whole message, whose bytes hold until the call after. It answers pings.
func (s *socket) next(buf []byte) (op ws.OpCode, message []byte, err error) {
	message = buf[:0]
	for {
		h, err := ws.ReadHeader(s.r)
		if err != nil {
			return 0, nil, err
		}
		if err := ws.CheckHeader(h, s.state); err != nil {
			return 0, nil, err
		}
		if h.OpCode.IsControl() {
			if err := s.control(h); err != nil {
				return 0, nil, err
			}
			continue
		}
		if h.Length > int64(s.limit-len(message)) {
			return 0, nil, errMessageTooLong
		}
		if message, err = s.payload(message, h); err != nil {
			return 0, nil, err
		}
		if h.OpCode != ws.OpContinuation {
			op = h.OpCode
		}
		if h.Fin {
			s.state = s.state.Clear(ws.StateFragmented)
			return op, message, nil
		}
		s.state = s.state.Set(ws.StateFragmented)
	}
}

// payload appends a frame's payload.
func (s *socket) payload(dst []byte, h ws.Header) ([]byte, error) {
	from := len(dst)
	for read := int64(0); read < h.Length; { // a length is a claim: room is made for what has come
		part := int(min(h.Length-read, 64<<10))
		dst = append(dst, make([]byte, part)...)
		n, err := io.ReadFull(s.r, dst[len(dst)-part:])
		if err != nil {
			return dst, err
		}
		read += int64(n)
	}
	if h.Masked {
		ws.Cipher(dst[from:], h.Mask, 0)
	}
	return dst, nil
}

// control takes a ping, a pong or a close.
func (s *socket) control(h ws.Header) error {
	payload, err := s.payload(nil, h)
	if err != nil {
		return err
	}
	switch h.OpCode {
	case ws.OpPing:
		return s.write(ws.OpPong, payload)
	case ws.OpClose:
		code, reason := ws.ParseCloseFrameData(payload)
		if code == 0 {
			code = ws.StatusNormalClosure
		}
		return &closedError{code, reason}
	default: // a pong
		return nil
	}
}

// write sends a message as one frame. The bytes stay the caller's.
func (s *socket) write(op ws.OpCode, payload []byte) error {
	f := ws.NewFrame(op, true, payload)
	if s.masks {
		f = ws.MaskFrame(f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = op == ws.OpClose
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.wait)); err != nil {
		return err
	}
	return ws.WriteFrame(s.conn, f)
}

// close says a close and ends the connection.
func (s *socket) close(code ws.StatusCode, reason string) {
	if code.IsNotUsed() || code == ws.StatusNoMeaningYet || code == ws.StatusAbnormalClosure || code == ws.StatusTLSHandshake || code == ws.StatusNoStatusRcvd {
		code, reason = ws.StatusNormalClosure, "" // these stand in no frame
	}
	const most = 123
	_ = s.write(ws.OpClose, ws.NewCloseFrameBody(code, reason[:min(len(reason), most)])) // it may have gone already
	_ = s.conn.Close()
}
