//go:build !linux

package main

// slackenTimers does nothing: to sleep longer than asked for is a thing of Linux.
func slackenTimers() error { return nil }
