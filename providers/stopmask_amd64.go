package providers

// stopMask goes on from i, 64 bytes at a time, to the block that has a stop of stringRun's in it:
// where it begins, and a bit for each of its bytes that is one. The mask is 0 where less than 64
// bytes are left. ascii is false where bytes outside of ASCII have been seen.
//
// It is assembly because each byte of a long prompt is read by it, three times as fast as in words
// of 8, which other machines take. All of it is SSE2, which every amd64 has.
//
//go:noescape
func stopMask(b []byte, i int) (at int, mask uint64, ascii bool)
