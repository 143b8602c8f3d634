package proxy

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/internal/edge"
)

// clientConn is the connection of a client. It is watched from its first request on until it is
// closed, so that requests on a kept one cost no system call for that.
type clientConn struct {
	net.Conn
	watch  *watcher
	peer   netip.Addr             // from the first request on: before, to ask may mean to wait for a proxy's header
	known  bool                   // a request has come; with peer the serving goroutine's own
	flight atomic.Pointer[flight] // under way on it
	gone   atomic.Bool            // the peer has left

	// The watcher's, under its mutex.
	token  uint64
	closed bool
}

// NetConn gives the connection below, as those of TLS do.
func (c *clientConn) NetConn() net.Conn { return c.Conn }

// Close implements net.Conn.
func (c *clientConn) Close() error {
	c.watch.forget(c)
	return c.Conn.Close()
}

func (c *clientConn) client() *clientConn { return c }

// connectionOf gives the client's connection that a request came on.
func connectionOf(fc *fasthttp.RequestCtx) *clientConn {
	c := fc.Conn().(interface{ client() *clientConn }).client()
	if !c.known {
		c.known, c.peer = true, edge.AddressOf(c.RemoteAddr())
		c.watch.add(c)
	}
	return c
}

// takes makes f what is to end where the client leaves, or has left.
func (c *clientConn) takes(f *flight) {
	c.flight.Store(f)
	if c.gone.Load() {
		f.clientGone(c)
	}
}

// leaves is called by the watcher.
func (c *clientConn) leaves() {
	c.gone.Store(true)
	if f := c.flight.Load(); f != nil {
		f.clientGone(c)
	}
}

// overTLS are the methods by which the library knows a connection over TLS.
type overTLS interface {
	Handshake() error
	ConnectionState() tls.ConnectionState
}

type secureConn struct {
	*clientConn
	overTLS
}

// clients is a listener whose connections are clientConns.
type clients struct {
	net.Listener
	watch *watcher
}

// Accept implements net.Listener.
func (l *clients) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &clientConn{Conn: conn, watch: l.watch}
	if secure, ok := conn.(overTLS); ok {
		return &secureConn{c, secure}, nil
	}
	return c, nil
}
