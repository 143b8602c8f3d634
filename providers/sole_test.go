package providers

import "testing"

func TestSole(t *testing.T) {
	var s Sole[int]
	var list []*int
	for i := range 3 {
		n, room := s.New(list)
		*n, list = i, append(room, n)
	}
	for i, n := range list {
		if *n != i {
			t.Errorf("the value at %d is %d", i, *n)
		}
	}
	if len(list) != 3 || list[0] != &s.value {
		t.Errorf("%d values, and the first not in its room", len(list))
	}
	if n := testing.AllocsPerRun(100, func() {
		n, room := s.New(nil)
		list = append(room, n)
	}); n > 0 {
		t.Errorf("%v allocations for the first", n)
	}
}
