package mock

import (
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var (
	errGone     = errors.New("the client left")
	errShutdown = errors.New("the mock shuts down")
)

// pollEvery is how soon a silent wait notices that its client left.
const pollEvery = 5 * time.Millisecond

// A presence watches whether the client is still there. HTTP gives no sign of it while nothing
// is written, so it looks at the socket. It serves one goroutine at a time.
type presence struct {
	raw   syscall.RawConn // nil where the connection is no socket: such a client never leaves
	done  <-chan struct{}
	timer *time.Timer
}

func watch(conn net.Conn, done <-chan struct{}) *presence {
	p := &presence{done: done}
	if c, ok := conn.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			p.raw = raw
		}
	}
	return p
}

// wait sleeps for d, and ends early with errGone or errShutdown.
func (p *presence) wait(d time.Duration) error {
	for d > 0 {
		step := d
		if d > 10*pollEvery {
			step = pollEvery // of a short wait the end is soon enough
		}
		if err := p.sleep(step); err != nil {
			return err
		}
		d -= step
		if p.gone() {
			return errGone
		}
	}
	return nil
}

// forever waits until the client leaves.
func (p *presence) forever() error {
	for {
		if err := p.wait(maxWait); err != nil {
			return err
		}
	}
}

func (p *presence) sleep(d time.Duration) error {
	if p.timer == nil {
		p.timer = time.NewTimer(d)
	} else {
		p.timer.Reset(d)
	}
	select {
	case <-p.timer.C:
		return nil
	case <-p.done:
		p.timer.Stop()
		return errShutdown
	}
}

// gone peeks at the socket: its end or an error means that nobody reads any more. Control is
// used, for it knows no deadline, and the server sets some.
func (p *presence) gone() bool {
	if p.raw == nil {
		return false
	}
	left := false
	err := p.raw.Control(func(fd uintptr) {
		var one [1]byte
		for {
			n, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			left = err == nil && n == 0 || err != nil && !errors.Is(err, unix.EAGAIN)
			return
		}
	})
	return err != nil || left
}
