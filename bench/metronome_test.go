//go:build linux

package main

import (
	"testing"
	"time"
)

// No beat comes before it is due, none is left out, and they are as far apart as the rate says.
func TestMetronome(t *testing.T) {
	m, err := newMetronome(1000)
	if err != nil {
		t.Fatal(err)
	}
	defer m.stop()
	var before time.Time
	for range 50 {
		due, err := m.wait()
		if err != nil {
			t.Fatal(err)
		}
		if early := time.Until(due); early > 0 {
			t.Errorf("a beat came %s early", early)
		}
		if apart := due.Sub(before); !before.IsZero() && apart != time.Millisecond {
			t.Errorf("two beats are %s apart", apart)
		}
		before = due
	}
}
