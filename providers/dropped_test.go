package providers

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestAddDropped(t *testing.T) {
	f := func(want []string, names ...string) {
		t.Helper()
		var got []string
		for _, name := range names {
			got = AddDropped(got, name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q gave %q, want %q", names, got, want)
		}
	}
	f(nil)
	f([]string{"b", "a"}, "b", "a", "b", "a")
	f([]string{strings.Repeat("x", 128)}, strings.Repeat("x", 129), strings.Repeat("x", 4096))
	f([]string{strings.Repeat("x", 127)}, strings.Repeat("x", 127)+"é")
	var many []string
	for i := range 1000 {
		many = append(many, strconv.Itoa(i))
	}
	f(many[:64], many...)
}
