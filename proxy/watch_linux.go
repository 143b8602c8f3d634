package proxy

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// watcher notices clients that leave, for the whole process, by one epoll instance: it reads no
// socket, so it works under TLS and with pipelined bytes pending. A half-closed connection
// counts as gone, as it does for net/http.
type watcher struct {
	epfd int
	wake int // an eventfd that ends the loop
	done chan struct{}

	mu      sync.Mutex
	next    uint64
	watched map[uint64]canceller
}

func newWatcher() (*watcher, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN})
	}
	if err != nil {
		_ = unix.Close(epfd)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	w := &watcher{epfd: epfd, wake: wake, done: make(chan struct{}), watched: map[uint64]canceller{}}
	go w.loop()
	return w, nil
}

// close ends the loop and waits for it.
func (w *watcher) close() {
	_, _ = unix.Write(w.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-w.done
	_ = unix.Close(w.wake)
	_ = unix.Close(w.epfd)
}

func (w *watcher) loop() {
	defer close(w.done)
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := unix.EpollWait(w.epfd, events, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			id := token(e)
			if id == 0 {
				return // woken to end
			}
			w.mu.Lock()
			c := w.watched[id]
			delete(w.watched, id)
			w.mu.Unlock()
			if c != nil {
				c.clientGone(id)
			}
		}
	}
}

// The token rides in the event's user data, so that a descriptor that was closed and reused can
// never be taken for another connection. 0 is the wake-up.
func token(e unix.EpollEvent) uint64 { return uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32 }

// watch tells c when the peer of conn leaves, until forget is called with the token that c is given.
// A connection stays in the epoll set, disarmed or with a token that nobody holds, until it is
// closed: one system call a request on a connection that is kept alive.
func (w *watcher) watch(conn net.Conn, c canceller) {
	sc, ok := socketOf(conn).(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	w.mu.Lock()
	w.next++
	id := w.next
	w.watched[id] = c
	w.mu.Unlock()
	c.watching(id)
	a := armings.Get().(*arming)
	defer armings.Put(a)
	a.w, a.id = w, id
	if raw.Control(a.arm) != nil || a.err != nil { // closed already
		w.forget(id)
		c.clientGone(id)
	}
}

// arming is room for one request's call of arm, kept for others.
type arming struct {
	w   *watcher
	id  uint64
	err error
	arm func(fd uintptr)
}

var armings = sync.Pool{New: func() any {
	a := &arming{}
	a.arm = func(fd uintptr) { a.err = a.w.arm(int(fd), a.id) }
	return a
}}

func (w *watcher) arm(fd int, id uint64) error {
	e := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	err := unix.EpollCtl(w.epfd, unix.EPOLL_CTL_MOD, fd, &e)
	if errors.Is(err, unix.ENOENT) {
		err = unix.EpollCtl(w.epfd, unix.EPOLL_CTL_ADD, fd, &e)
	}
	return err
}

func (w *watcher) forget(id uint64) {
	w.mu.Lock()
	delete(w.watched, id)
	w.mu.Unlock()
}
