//go:build !amd64

package providers

// stopMask is described with the machine that has its own.
func stopMask(b []byte, i int) (at int, mask uint64, ascii bool) { return stopMaskInWords(b, i) }
