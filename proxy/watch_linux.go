package proxy

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// watcher notices clients that leave, for the whole process, by one epoll instance: it reads no
// socket, so it works under TLS and with pipelined bytes pending. A half-closed connection
// counts as gone, as it does for net/http. The runtime's own poller watches the instance: a thread
// that waited in it would keep a processor of the runtime each time, until that is noticed.
type watcher struct {
	epoll *os.File
	epfd  int // the same
	done  chan struct{}

	mu      sync.Mutex
	next    uint64
	watched map[uint64]*clientConn
}

func newWatcher() (*watcher, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := unix.SetNonblock(epfd, true); err != nil { // else os takes it for a file that is always ready
		_ = unix.Close(epfd)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	w := &watcher{epoll: os.NewFile(uintptr(epfd), "epoll"), epfd: epfd, done: make(chan struct{}), watched: map[uint64]*clientConn{}}
	raw, err := w.epoll.SyscallConn()
	if err = errors.Join(err, w.epoll.SetReadDeadline(time.Time{})); err != nil { // nothing watches it
		_ = w.epoll.Close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	go w.loop(raw)
	return w, nil
}

// close ends the loop and waits for it.
func (w *watcher) close() {
	_ = w.epoll.Close()
	<-w.done
}

func (w *watcher) loop(raw syscall.RawConn) {
	defer close(w.done)
	events := make([]unix.EpollEvent, 128)
	for {
		var n int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			for {
				if n, failed = unix.EpollWait(int(fd), events, 0); !errors.Is(failed, unix.EINTR) {
					return n != 0
				}
			}
		})
		if err != nil || failed != nil { // closed
			return
		}
		for _, e := range events[:n] {
			w.mu.Lock()
			c := w.watched[token(e)]
			w.mu.Unlock()
			if c != nil {
				c.leaves()
			}
		}
	}
}

// The token rides in the event's user data, so that a descriptor that was closed and reused can
// never be taken for another connection.
func token(e unix.EpollEvent) uint64 { return uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32 }

// add has c told when its peer leaves, until forget.
func (w *watcher) add(c *clientConn) {
	sc, ok := socketOf(c).(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	w.mu.Lock()
	if !c.closed {
		w.next++
		c.token = w.next
		w.watched[c.token] = c
	}
	token := c.token
	w.mu.Unlock()
	if token == 0 {
		return
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.EpollCtl(w.epfd, unix.EPOLL_CTL_ADD, int(fd), &unix.EpollEvent{
			Events: unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(uint32(token)), Pad: int32(uint32(token >> 32)),
		})
	})
	if err != nil || failed != nil { // closed already
		c.leaves()
	}
}

func (w *watcher) forget(c *clientConn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.closed = true
	delete(w.watched, c.token)
}
