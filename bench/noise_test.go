//go:build linux

package main

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What is heard is a part of the time, whatever the machine does, and the threads are put back.
func TestListen(t *testing.T) {
	var ours unix.CPUSet
	if err := unix.SchedGetaffinity(0, &ours); err != nil {
		t.Fatal(err)
	}
	core := 0
	for !ours.IsSet(core) {
		core++
	}
	before := runtime.GOMAXPROCS(0)
	n, err := listen(20*time.Millisecond, core)
	if err != nil {
		t.Fatal(err)
	}
	if n.Share < 0 || n.Share > 1 || n.Share > 0 && n.LongestUS < 1000 || n.Share == 0 && n.LongestUS != 0 {
		t.Errorf("%.3f of the time, the longest pause %.0f µs", n.Share, n.LongestUS)
	}
	if after := runtime.GOMAXPROCS(0); after != before {
		t.Errorf("%d processors after it, %d before", after, before)
	}
}

func TestListen_NoSuchCore(t *testing.T) {
	if _, err := listen(time.Millisecond, 1<<20); err == nil {
		t.Error("a machine of a million cores")
	}
}
