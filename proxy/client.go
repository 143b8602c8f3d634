package proxy

import "net"

// socketOf gives the connection that has the socket: the one below TLS, and below what reads a
// PROXY header.
func socketOf(c net.Conn) net.Conn {
	for {
		switch over := c.(type) {
		case interface{ NetConn() net.Conn }:
			c = over.NetConn()
		case interface{ Raw() net.Conn }:
			c = over.Raw()
		default:
			return c
		}
	}
}

// clientGone ends the flight, unless it serves another connection's request by now.
func (f *flight) clientGone(c *clientConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.client == c {
		f.cancelLocked(errClientGone)
	}
}

// cancel ends the flight's exchange under way, and any later one before it begins.
func (f *flight) cancel(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancelLocked(cause)
}

func (f *flight) cancelLocked(cause error) {
	if f.gone == nil {
		f.gone = cause
		if f.bell != nil {
			close(f.bell)
		}
	}
	if f.exchange != nil {
		f.exchange.Cancel(cause)
	}
	if f.listening {
		_ = f.conn.SetReadDeadline(past) // a closed connection ends the read by itself
	}
	if f.twin != nil {
		f.twin.cancel(cause)
	}
}

// own makes x the flight's exchange, unless the client has gone already or its hedge was faster.
func (f *flight) own(x Exchange) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.gone != nil:
		return f.gone
	case f.yield:
		return errHedged
	}
	f.exchange = x
	return nil
}

// disown takes the exchange out of cancel's reach; it must come before Exchange.Finish.
func (f *flight) disown() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exchange = nil
}

// left is why the flight was cancelled, nil where it was not.
func (f *flight) left() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gone
}

// listen marks that the client's body is being read, so that a cancel ends that too.
func (f *flight) listen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listening = true
}
