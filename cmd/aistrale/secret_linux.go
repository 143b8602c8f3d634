package main

import "golang.org/x/sys/unix"

// What Linux calls the requests for a terminal's settings.
const termiosGet, termiosSet = unix.TCGETS, unix.TCSETS
