// Package guard calls addresses that are not the operator's own word: those of callers, and those
// given through the control plane. It looks at the address that is really dialled, after the name
// was resolved and on every redirect, so that no name, and no answer that changes, leads it into
// the operator's network.
package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Rules say what may be called. The zero value is https on every port of the public internet.
type Rules struct {
	// Allow are what may be called though it is not public: ranges ("10.1.0.0/16"), addresses, and
	// names of hosts, whose addresses are then not looked at.
	Allow []string
	HTTP  bool // plain http too
	// Ports are the only ones; nil is any.
	Ports []uint16
	// Redirects are followed so often, each under the same rules; else the redirect is the answer.
	Redirects int
}

// ErrRefused is wrapped where an address may not be called.
var ErrRefused = errors.New("the address may not be called")

// Guard holds addresses against rules.
type Guard struct {
	rules  Rules
	ranges []netip.Prefix
	hosts  []string
	dialer net.Dialer // of what is looked at
}

// dialTimeout bounds a connection's making.
const dialTimeout = 5 * time.Second

// New makes a guard. It fails where an entry of Allow is none.
func New(r Rules) (*Guard, error) {
	g := &Guard{rules: r}
	for _, entry := range r.Allow {
		if addr, err := netip.ParseAddr(entry); err == nil {
			g.ranges = append(g.ranges, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
			continue
		}
		if prefix, err := netip.ParsePrefix(entry); err == nil {
			g.ranges = append(g.ranges, prefix.Masked())
			continue
		}
		if entry == "" || strings.ContainsAny(entry, "/:*@ ") {
			return nil, fmt.Errorf("%q is no range such as 10.1.0.0/16, no address and no host's name", entry)
		}
		g.hosts = append(g.hosts, hostName(entry))
	}
	g.dialer = net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error { return g.reachable(address) }}
	return g, nil
}

// hostName is a name in the one form that names are compared in.
func hostName(text string) string { return strings.TrimSuffix(strings.ToLower(text), ".") }

// Dial connects to host:port where the rules allow the address that the name has at this moment.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if slices.Contains(g.hosts, hostName(host)) {
		if err := g.port(port); err != nil {
			return nil, err
		}
		free := net.Dialer{Timeout: dialTimeout, Resolver: g.dialer.Resolver}
		return free.DialContext(ctx, network, address)
	}
	return g.dialer.DialContext(ctx, network, address)
}

// reachable refuses a resolved address, "ip:port", that the rules do not allow.
func (g *Guard) reachable(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return err
	}
	if err := g.port(port); err != nil {
		return err
	}
	return g.address(ip)
}

func (g *Guard) address(ip netip.Addr) error {
	ip = ip.WithZone("").Unmap() // a prefix contains no address with a zone
	if public(ip) || slices.ContainsFunc(g.ranges, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return nil
	}
	return fmt.Errorf("%w: it is not public", ErrRefused)
}

func (g *Guard) port(text string) error {
	if g.rules.Ports == nil {
		return nil
	}
	for _, port := range g.rules.Ports {
		if text == fmt.Sprint(port) {
			return nil
		}
	}
	return fmt.Errorf("%w: port %s", ErrRefused, text)
}

// Check says what is wrong with a URL as it is written, before anything is resolved: who gives one
// is told at once. What it lets through is still looked at when it is called.
func (g *Guard) Check(u *url.URL) error {
	switch {
	case u.Hostname() == "" || u.Opaque != "":
		return fmt.Errorf("%w: it names no host", ErrRefused)
	case u.User != nil:
		return fmt.Errorf("%w: it holds a user's name or a password", ErrRefused)
	case u.Scheme != "https" && (u.Scheme != "http" || !g.rules.HTTP):
		return fmt.Errorf("%w: it is not https", ErrRefused)
	}
	host := hostName(u.Hostname())
	if slices.Contains(g.hosts, host) {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return g.address(ip)
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return fmt.Errorf("%w: it is not public", ErrRefused)
	}
	return nil
}

// Client gives an HTTP client under the rules: no proxy of the environment, no cookies, and each
// call bounded in time. Bodies are the caller's to bound.
func (g *Guard) Client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: checked{g, &http.Transport{
			DialContext: g.Dial, Proxy: nil, MaxIdleConns: 8, IdleConnTimeout: 10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: dialTimeout,
		}},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			switch {
			case g.rules.Redirects == 0:
				return http.ErrUseLastResponse
			case len(via) > g.rules.Redirects:
				return errors.New("too many redirects")
			}
			return nil
		},
	}
}

// checked holds every URL that is asked, a redirect's too, against the rules.
type checked struct {
	guard *Guard
	*http.Transport
}

// RoundTrip implements http.RoundTripper.
func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.guard.Check(r.URL); err != nil {
		return nil, err
	}
	return c.Transport.RoundTrip(r)
}

// Cause is the error of a client without the URL that http.Client puts before it: its path or its
// query may be a secret.
func Cause(err error) error {
	var whole *url.Error
	if errors.As(err, &whole) {
		return whole.Err
	}
	return err
}
