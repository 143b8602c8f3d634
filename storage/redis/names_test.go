package redis

import (
	"strconv"
	"testing"
)

func TestNames(t *testing.T) {
	var n names
	for range 2 {
		for i := range namesMost + 10 {
			counter := "budget:{a}key/k" + strconv.Itoa(i)
			if one := n.of(counter); one.key != keyOf(counter) || one.leases != keyLeases(one.key) || one.known != keyKnown(one.key) {
				t.Fatalf("%s: %+v", counter, one)
			}
			place := strconv.Itoa(i)
			if key := n.born(place); key != keyBorn(place) {
				t.Fatalf("%s: %s", place, key)
			}
		}
	}
	if len(n.by) > namesMost || len(n.places) > namesMost {
		t.Errorf("%d names and %d places are kept", len(n.by), len(n.places))
	}
}
