package edge

import (
	"net"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/aistrale/aistrale/storage"
)

// headerTimeout is how long a proxy may take for its header.
const headerTimeout = 5 * time.Second

// ProxyProtocol has the connections of l begin with a PROXY header, version 1 or 2, where they come
// from a trusted proxy: the addresses in it are then those of the connection. Without one such a
// connection is not served, as whatever it brings may be its client's. From all others a header is
// none, but a client's bytes.
func ProxyProtocol(l net.Listener, trusted func() storage.Networks) net.Listener {
	return &proxyproto.Listener{
		Listener: l, ReadHeaderTimeout: headerTimeout,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if trusted().Contain(AddressOf(o.Upstream)) {
				return proxyproto.REQUIRE, nil
			}
			return proxyproto.SKIP, nil
		},
	}
}
