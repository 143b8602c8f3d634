package main_test

import "testing"

// The collector waits for more than what little lives, unless the operator has said when it runs.
func TestHeadroom(t *testing.T) {
	t.Parallel()
	const next, roomy = "go_memstats_next_gc_bytes", 64 << 20
	g := newPlace(t).serve(t, anywhere+"providers: [{name: mock}]\n")
	eventually(t, "room before the next collection", func() bool { return g.gauge(t, next) >= roomy })
	said := newPlace(t)
	said.env = append(said.env, "GOGC=100")
	if n := said.serve(t, anywhere+"providers: [{name: mock}]\n").gauge(t, next); n >= roomy {
		t.Errorf("with GOGC set the next collection is at %g bytes", n)
	}
}
