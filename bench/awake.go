//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"os"
)

// keepAwake has the cores wait for work without falling asleep, until the file is closed or the
// process ends. What it costs to wake one, twice for each request where the machine is virtual, is
// then in no figure. Source: https://docs.kernel.org/power/pm_qos_interface.html
func keepAwake() (*os.File, error) {
	f, err := os.OpenFile("/dev/cpu_dma_latency", os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("-awake: %w", err)
	}
	if err := binary.Write(f, binary.NativeEndian, int32(0)); err != nil { // µs that it may take to wake
		return nil, fmt.Errorf("-awake: %w", err)
	}
	return f, nil
}
