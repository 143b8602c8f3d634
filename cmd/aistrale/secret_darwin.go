package main

import "golang.org/x/sys/unix"

// What macOS calls the requests for a terminal's settings.
const termiosGet, termiosSet = unix.TIOCGETA, unix.TIOCSETA
