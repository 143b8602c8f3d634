package proxy

import (
	"errors"
	"fmt"
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
	watched map[uint64]*clientConn
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
	w := &watcher{epfd: epfd, wake: wake, done: make(chan struct{}), watched: map[uint64]*clientConn{}}
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
			w.mu.Unlock()
			if c != nil {
				c.leaves()
			}
		}
	}
}

// The token rides in the event's user data, so that a descriptor that was closed and reused can
// never be taken for another connection. 0 is the wake-up.
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
