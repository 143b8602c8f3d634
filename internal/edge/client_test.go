package edge

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

func networks(t testing.TB, all ...string) (out storage.Networks) {
	t.Helper()
	for _, text := range all {
		n, err := storage.ParseNetwork(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// header gives lines "name: value".
func header(lines ...string) func(string) []string {
	return func(name string) (values []string) {
		for _, line := range lines {
			if n, value, _ := strings.Cut(line, ": "); n == name {
				values = append(values, value)
			}
		}
		return values
	}
}

func TestClient(t *testing.T) {
	trusted := networks(t, "10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.1")
	f := func(peer, want string, lines ...string) {
		t.Helper()
		if got := Client(trusted, netip.MustParseAddr(peer), header(lines...)); got.String() != want {
			t.Errorf("from %s with %q: %s, want %s", peer, lines, got, want)
		}
	}
	f("203.0.113.1", "203.0.113.1")
	f("10.0.0.1", "10.0.0.1")
	// A stranger says nothing of others.
	f("203.0.113.1", "203.0.113.1", "X-Forwarded-For: 198.51.100.1", "Forwarded: for=198.51.100.1")
	f("10.0.0.1", "198.51.100.1", "X-Forwarded-For: 198.51.100.1")
	f("::ffff:10.0.0.1", "198.51.100.1", "X-Forwarded-For: 198.51.100.1")
	f("192.0.2.1", "198.51.100.1", "X-Forwarded-For: 198.51.100.1")
	// What a client says of itself stands before what our proxy says of it.
	f("10.0.0.1", "198.51.100.1", "X-Forwarded-For: 10.9.9.9, 198.51.100.1")
	f("10.0.0.1", "198.51.100.1", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: 198.51.100.1,10.0.0.2", "X-Forwarded-For: 10.0.0.3")
	f("10.0.0.1", "10.0.0.9", "X-Forwarded-For: 10.0.0.9, 10.0.0.2")
	// With ports, as some write them.
	f("10.0.0.1", "198.51.100.1", "X-Forwarded-For: 198.51.100.1:4711")
	f("10.0.0.1", "2001:db8::1", "X-Forwarded-For: 2001:db8::1")
	f("10.0.0.1", "2001:db8::1", "X-Forwarded-For: [2001:db8::1]:4711")
	f("10.0.0.1", "2001:db8::1", "X-Forwarded-For: [2001:db8::1]")
	f("2001:db8:ffff::1", "2001:db8::1", "X-Forwarded-For: 2001:db8::1%eth0")
	f("10.0.0.1", "198.51.100.1", "X-Forwarded-For: ::ffff:198.51.100.1")
	// Behind what is no address nothing is believed.
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: unknown")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: 198.51.100.1, ")
	f("10.0.0.1", "10.0.0.2", "X-Forwarded-For: 198.51.100.1, unknown, 10.0.0.2")
	f("10.0.0.1", "10.0.0.1", "X-Forwarded-For: 198.51.100.1, "+strings.Repeat(" ", maxStation)+"10.0.0.2")
	f("10.0.0.1", "10.0.0.2", "X-Forwarded-For: 198.51.100.1"+strings.Repeat(", 10.0.0.2", maxStations))
	// RFC 7239, where there is no other.
	f("10.0.0.1", "198.51.100.1", "Forwarded: for=198.51.100.1")
	f("10.0.0.1", "198.51.100.1", `Forwarded: for=203.0.113.7, proto=https;For="198.51.100.1:4711";by=10.0.0.2, for=10.0.0.2`)
	f("10.0.0.1", "2001:db8::1", `Forwarded: for="[2001:db8::1]:4711"`)
	f("10.0.0.1", "203.0.113.7", "X-Forwarded-For: 203.0.113.7", "Forwarded: for=198.51.100.1")
	f("10.0.0.1", "10.0.0.1", "Forwarded: for=_hidden")
	f("10.0.0.1", "10.0.0.1", "Forwarded: proto=https")
	// A host's name that looks like more than it is.
	f("10.0.0.1", "198.51.100.1", `Forwarded: for=198.51.100.1;host="a,for=10.9.9.9;x="`)
	f("10.0.0.1", "198.51.100.1", `Forwarded: host="a\";for=10.9.9.9";for=198.51.100.1`)
	if got := Client(nil, netip.MustParseAddr("10.0.0.1"), header("X-Forwarded-For: 198.51.100.1")); got.String() != "10.0.0.1" {
		t.Errorf("nobody is trusted: %s", got)
	}
}

// Whatever a client says of itself, who it is stays what the trusted proxy says.
func FuzzClient(f *testing.F) {
	trusted := networks(f, "10.0.0.0/8")
	for _, said := range []string{"", "10.9.9.9", `"`, `\`, `for="`, ",", ";", "for=10.0.0.1;host=\"", "[::1"} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		for _, lines := range [][]string{
			{"X-Forwarded-For: " + said + ", 198.51.100.1"},
			{"X-Forwarded-For: " + said, "X-Forwarded-For: 198.51.100.1, 10.0.0.2"},
			{"Forwarded: " + said + ", for=198.51.100.1"},
			{"Forwarded: " + said + `, for="198.51.100.1:80";proto=https, for=10.0.0.2`},
		} {
			if got := Client(trusted, netip.MustParseAddr("10.0.0.1"), header(lines...)); got.String() != "198.51.100.1" {
				t.Errorf("%q: %s", lines, got)
			}
		}
		// And nothing that is said breaks it.
		_ = Client(trusted, netip.MustParseAddr("10.0.0.1"), header("X-Forwarded-For: "+said))
		_ = Client(trusted, netip.MustParseAddr("10.0.0.1"), header("Forwarded: "+said))
	})
}

func TestAddressOf(t *testing.T) {
	if got := AddressOf(&net.TCPAddr{IP: net.ParseIP("::ffff:10.0.0.1"), Port: 1}); got.String() != "10.0.0.1" {
		t.Errorf("%s", got)
	}
	if got := AddressOf(&net.UnixAddr{Name: "x"}); got.IsValid() {
		t.Errorf("%s", got)
	}
}
