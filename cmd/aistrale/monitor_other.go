//go:build !linux

package main

// calmMonitor does nothing: to sleep longer than asked for is a thing of Linux.
func calmMonitor() error { return nil }
