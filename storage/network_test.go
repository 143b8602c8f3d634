package storage

import (
	"net/netip"
	"testing"
)

func TestParseNetwork(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		n, err := ParseNetwork(text)
		if err != nil && want != "" || err == nil && n.String() != want {
			t.Errorf("ParseNetwork(%q) = %s, %v", text, n, err)
		}
	}
	f("10.1.0.0/16", "10.1.0.0/16")
	f("10.1.2.3", "10.1.2.3")
	f("10.1.2.3/32", "10.1.2.3")
	f("::ffff:10.1.2.3", "10.1.2.3")
	f("::ffff:10.1.0.0/112", "10.1.0.0/16")
	f("2001:db8::/32", "2001:db8::/32")
	f("0.0.0.0/0", "0.0.0.0/0")
	f("::/0", "::/0")
	// What looks like less than it is, or is none.
	for _, text := range []string{"10.1.2.3/16", "10.1.0.0/33", "10.1", "example.com", "", "10.1.0.0/016", "fe80::1%eth0", "10.0.0.0/8,10.1.0.0/16"} {
		f(text, "")
	}
}

func TestNetworks_Contain(t *testing.T) {
	var all Networks
	for _, text := range []string{"10.1.0.0/16", "192.0.2.7", "2001:db8::/32"} {
		n, err := ParseNetwork(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	f := func(address string, want bool) {
		t.Helper()
		if got := all.Contain(netip.MustParseAddr(address)); got != want {
			t.Errorf("Contain(%s) = %v", address, got)
		}
	}
	f("10.1.255.255", true)
	f("::ffff:10.1.0.1", true)
	f("10.2.0.0", false)
	f("192.0.2.7", true)
	f("192.0.2.8", false)
	f("2001:db8::1", true)
	f("2001:db8::1%eth0", true)
	f("2001:db9::1", false)
	if all.Contain(netip.Addr{}) || Networks(nil).Contain(netip.MustParseAddr("10.1.0.0")) {
		t.Error("nothing is in a range, or a range is in nothing")
	}
}
