package edge

import (
	"net"
	"net/netip"
	"strings"

	"github.com/aistrale/aistrale/storage"
)

// AddressOf gives the address of a connection's other end, the zero one where it has none.
func AddressOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

// What others wrote before our own proxies is bounded: so many stations are looked at, of so many
// bytes each.
const (
	maxStations = 32
	maxStation  = 512
)

// Client gives whose request it is that came from peer. The word of proxies that are trusted
// counts, and of nobody else: the stations in X-Forwarded-For, or where there is none in Forwarded,
// are gone through from the last one on, as long as who wrote the station is trusted. lines gives
// the lines of a header in their order.
func Client[T string | []byte](trusted storage.Networks, peer netip.Addr, lines func(name string) []T) netip.Addr {
	if !trusted.Contain(peer) {
		return peer
	}
	parse, said := node, lines("X-Forwarded-For")
	if len(said) == 0 {
		parse, said = forwardedFor, lines("Forwarded")
	}
	at, seen := peer, 0
	for i := len(said) - 1; i >= 0; i-- {
		for rest, more := string(said[i]), true; more; {
			var station string
			rest, station, more = lastStation(rest)
			if seen++; seen > maxStations || len(station) > maxStation {
				return at
			}
			next, ok := parse(station)
			if !ok {
				return at
			}
			if at = next; !trusted.Contain(at) {
				return at
			}
		}
	}
	return at
}

// lastStation cuts a list after its last comma that is in no quotes. The end of the list is a
// trusted proxy's own, so that its quotes can be relied on.
func lastStation(list string) (rest, last string, more bool) {
	for i, quoted := len(list)-1, false; i >= 0; i-- {
		switch list[i] {
		case '"':
			if !escaped(list[:i]) {
				quoted = !quoted
			}
		case ',':
			if !quoted {
				return list[:i], list[i+1:], true
			}
		}
	}
	return "", list, false
}

// escaped reports whether the character after text is.
func escaped(text string) bool { return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1 }

// forwardedFor gives the address that an element of RFC 7239 is for.
func forwardedFor(element string) (netip.Addr, bool) {
	for rest := element; rest != ""; {
		var pair string
		pair, rest = firstPair(rest)
		name, value, ok := strings.Cut(pair, "=")
		if ok && strings.EqualFold(strings.Trim(name, " \t"), "for") {
			value = strings.Trim(value, " \t")
			if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			return node(value)
		}
	}
	return netip.Addr{}, false
}

// firstPair cuts an element before its first semicolon that is in no quotes.
func firstPair(element string) (pair, rest string) {
	quoted := false
	for i := range len(element) {
		switch {
		case element[i] == '"' && !escaped(element[:i]):
			quoted = !quoted
		case element[i] == ';' && !quoted:
			return element[:i], element[i+1:]
		}
	}
	return element, ""
}

// node reads an address, with a port or without: 192.0.2.1, 192.0.2.1:80, 2001:db8::1,
// [2001:db8::1]:80.
func node(text string) (netip.Addr, bool) {
	text = strings.Trim(text, " \t")
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		text = text + ":0"
	}
	at, err := netip.ParseAddrPort(text)
	return at.Addr().Unmap().WithZone(""), err == nil
}
