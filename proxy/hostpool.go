package proxy

import (
	"errors"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/aistrale/aistrale/internal/outbound"
)

// PoolOptions say how to reach one provider.
type PoolOptions struct {
	BaseURL   string
	UserAgent string
	Way       *outbound.Way // nil: directly
	Connect   time.Duration
	// MaxConns bounds the connections to the provider; past it a call fails, and may move on.
	MaxConns int
}

// pooled is fasthttp's *clientConn, whose name is not exported.
type pooled interface {
	Conn() net.Conn
	LastUseTime() time.Time
}

// hostPool is an Upstream on fasthttp's HostClient, used as a connection pool only: the
// exchange on a connection is ours, so that one goroutine carries a request from its first byte
// to its last and a cancel is a poke of the connection's deadline.
type hostPool[C pooled] struct {
	client  *fasthttp.HostClient
	acquire func(time.Duration, bool) (C, error)
	release func(C)
	discard func(C)
	head    requestHead
	connect time.Duration
	spare   sync.Pool
}

// NewPool makes an Upstream for a base URL.
func NewPool(o PoolOptions) (Upstream, error) {
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("base_url must be an absolute http or https URL: " + o.BaseURL)
	}
	secure := u.Scheme == "https"
	client := &fasthttp.HostClient{
		Addr:                          fasthttp.AddMissingPort(u.Host, secure),
		IsTLS:                         secure,
		MaxConns:                      o.MaxConns,
		MaxIdleConnDuration:           45 * time.Second,
		DialTimeout:                   dialer(secure, u.Hostname(), o.Way),
		NoDefaultUserAgentHeader:      true,
		DisableHeaderNamesNormalizing: true,
		DisablePathNormalizing:        true,
		ReadBufferSize:                4 << 10, // widen makes room for a larger head
		WriteBufferSize:               16 << 10,
		ConnPoolStrategy:              fasthttp.LIFO,
	}
	p := newHostPool(client, client.AcquireConn, client.ReleaseConn, client.CloseConn)
	p.head, p.connect = newRequestHead(u.EscapedPath(), u.Host, o.UserAgent), o.Connect
	return p, nil
}

// newHostPool exists for inference: it gives fasthttp's unexported connection type a name.
func newHostPool[C pooled](
	client *fasthttp.HostClient, acquire func(time.Duration, bool) (C, error), release, discard func(C),
) *hostPool[C] {
	return &hostPool[C]{client: client, acquire: acquire, release: release, discard: discard}
}

// Close implements Upstream.
func (p *hostPool[C]) Close() { p.client.CloseIdleConnections() }

// inUse counts the connections that are neither idle nor closed.
func (p *hostPool[C]) inUse() int { return p.client.ConnsCount() - p.client.IdleConnsCount() }

// Exchange implements Upstream.
func (p *hostPool[C]) Exchange() Exchange {
	if x, ok := p.spare.Get().(*exchange[C]); ok {
		return x
	}
	return &exchange[C]{pool: p}
}
