package providers

import "golang.org/x/sys/cpu"

// stopMask goes on from i, 64 bytes at a time, to the block that has a stop of stringRun's in it:
// where it begins, and a bit for each of its bytes that is one. The mask is 0 where less than 64
// bytes are left. ascii is false where bytes outside of ASCII have been seen.
//
// It is assembly because each byte of a long prompt is read by it: several times as fast as in
// words of 8, which other machines take.
func stopMask(b []byte, i int) (at int, mask uint64, ascii bool) {
	if cpu.X86.HasAVX2 {
		return stopMaskAVX2(b, i)
	}
	return stopMaskSSE2(b, i)
}

// stopMaskAVX2 is for the machines of the last ten years.
//
//go:noescape
func stopMaskAVX2(b []byte, i int) (at int, mask uint64, ascii bool)

// stopMaskSSE2 is for every amd64.
//
//go:noescape
func stopMaskSSE2(b []byte, i int) (at int, mask uint64, ascii bool)
