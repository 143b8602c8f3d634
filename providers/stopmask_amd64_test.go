package providers

import "golang.org/x/sys/cpu"

// stopMasks are those that this machine can run.
func stopMasks() map[string]func([]byte, int) (int, uint64, bool) {
	all := map[string]func([]byte, int) (int, uint64, bool){"SSE2": stopMaskSSE2, "in words": stopMaskInWords}
	if cpu.X86.HasAVX2 {
		all["AVX2"] = stopMaskAVX2
	}
	return all
}
