package main_test

import (
	"strconv"
	"testing"
)

// The collector waits for more than what little lives, unless the operator has said when it runs.
func TestHeadroom(t *testing.T) {
	t.Parallel()
	next := func(g *program) float64 {
		n, err := strconv.ParseFloat(g.metric(t, "go_memstats_next_gc_bytes"), 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const roomy = 64 << 20
	g := newPlace(t).serve(t, anywhere+"providers: [{name: mock}]\n")
	eventually(t, "room before the next collection", func() bool { return next(g) >= roomy })
	said := newPlace(t)
	said.env = append(said.env, "GOGC=100")
	if n := next(said.serve(t, anywhere+"providers: [{name: mock}]\n")); n >= roomy {
		t.Errorf("with GOGC set the next collection is at %g bytes", n)
	}
}
