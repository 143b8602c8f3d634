//go:build !linux

// Package durable has what was written to files survive a power cut.
package durable

import "os"

// Sync makes what was written to a file durable.
func Sync(f *os.File) error { return f.Sync() }
