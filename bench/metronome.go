//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// metronome beats at a fixed rate, by a timer of the kernel's: time.Sleep comes up to a
// millisecond late, as the runtime waits in whole ones, and several beats at once.
type metronome struct {
	timer *os.File
	every time.Duration
	next  time.Time // beat, as it is due
	due   uint64    // beats that were not given yet
}

func newMetronome(rate int) (*metronome, error) {
	every := time.Second / time.Duration(rate)
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("a timer: %w", err)
	}
	m := &metronome{timer: os.NewFile(uintptr(fd), "timer"), every: every, next: time.Now().Add(every)}
	beat := unix.NsecToTimespec(every.Nanoseconds())
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: beat, Value: beat}, nil); err != nil {
		m.stop()
		return nil, fmt.Errorf("a timer: %w", err)
	}
	return m, nil
}

// wait gives the moment at which the beat was due that it waited for.
func (m *metronome) wait() (time.Time, error) {
	if m.due == 0 {
		var beats [8]byte
		if _, err := m.timer.Read(beats[:]); err != nil {
			return time.Time{}, fmt.Errorf("a timer: %w", err)
		}
		m.due = binary.NativeEndian.Uint64(beats[:])
	}
	m.due--
	beat := m.next
	m.next = beat.Add(m.every)
	return beat, nil
}

func (m *metronome) stop() { _ = m.timer.Close() }
