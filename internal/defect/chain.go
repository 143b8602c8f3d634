package defect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
)

// mostLinks bounds how much of a chain is looked at.
const mostLinks = 32

// chain says an error without its words, which may hold anything: the types of its chain, and the
// words of those that are known or the system's own.
func (r *Reporter) chain(cause any) string {
	err, ok := cause.(error)
	if !ok {
		return fmt.Sprintf("%T", cause)
	}
	var parts []string
	add := func(s string) {
		if s != "" && (len(parts) == 0 || parts[len(parts)-1] != s) {
			parts = append(parts, s)
		}
	}
	left := []error{err}
	for n := 0; len(left) > 0 && n < mostLinks; n++ {
		link := left[0]
		left = left[1:]
		if link == nil {
			continue
		}
		add(r.link(link))
		switch next := link.(type) { //nolint:errorlint // it is the chain that is walked
		case interface{ Unwrap() error }:
			left = append([]error{next.Unwrap()}, left...)
		case interface{ Unwrap() []error }:
			left = append(append([]error{}, next.Unwrap()...), left...)
		}
	}
	return strings.Join(parts, ": ")
}

// link says one error of a chain; "" where it only joins others.
func (r *Reporter) link(err error) string {
	for _, known := range append(r.o.Known, systems()...) {
		if err == known { //nolint:errorlint // the one value: what wraps it has words of its own
			return known.Error()
		}
	}
	switch e := err.(type) { //nolint:errorlint // likewise
	case syscall.Errno:
		return e.Error()
	case interface{ SQLState() string }:
		return "SQLSTATE " + e.SQLState()
	}
	switch kind := fmt.Sprintf("%T", err); kind {
	case "*fmt.wrapError", "*fmt.wrapErrors", "*errors.joinError", "*errors.errorString":
		return ""
	default:
		return kind
	}
}

// systems are errors of the standard library whose words are always the same.
func systems() []error {
	return []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
		fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, fs.ErrClosed, errors.ErrUnsupported,
	}
}
