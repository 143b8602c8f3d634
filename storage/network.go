package storage

import (
	"fmt"
	"net/netip"
)

// Network is a range of addresses. One address is a range too.
type Network struct{ netip.Prefix }

// ParseNetwork reads a range such as 10.1.0.0/16 or 2001:db8::/32, or one address.
func ParseNetwork(text string) (Network, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return Network{netip.PrefixFrom(a, a.BitLen())}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return Network{}, fmt.Errorf("%q is no range such as 10.1.0.0/16, and no address", text)
	}
	const mapped = 96 // bits before an IPv4 address in an IPv6 one
	if p.Addr().Is4In6() && p.Bits() >= mapped {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	if p.Masked() != p {
		return Network{}, fmt.Errorf("%q has bits beyond its range, which is %s", text, p.Masked())
	}
	return Network{p}, nil
}

// String gives one address without its length.
func (n Network) String() string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.Prefix.String()
}

// MarshalText implements encoding.TextMarshaler.
func (n Network) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *Network) UnmarshalText(text []byte) (err error) {
	*n, err = ParseNetwork(string(text))
	return err
}

// Networks are ranges of addresses; none contain nothing.
type Networks []Network

// Contain reports whether an address is in one of the ranges.
func (all Networks) Contain(a netip.Addr) bool {
	a = a.Unmap().WithZone("") // a prefix contains no address with a zone
	for i := range all {
		if all[i].Contains(a) {
			return true
		}
	}
	return false
}
