//go:build !amd64

package providers

// stopMasks are those that this machine can run.
func stopMasks() map[string]func([]byte, int) (int, uint64, bool) {
	return map[string]func([]byte, int) (int, uint64, bool){"in words": stopMaskInWords}
}
