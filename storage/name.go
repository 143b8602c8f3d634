package storage

import (
	"fmt"
	"time"
)

// The workspace and the project of whatever names none.
const (
	DefaultWorkspace = "default"
	DefaultProject   = "default"
)

// maxName bounds a name; an e-mail address as the owner of a key fits.
const maxName = 128

// CheckName says what is wrong with the name of a key, project, workspace, owner or
// credential: 1 to 128 of letters, digits and ". _ @ + -", the first one a letter or digit. Names enter
// scopes ("key/ci"), log lines and headers, so nothing there needs escaping. What is the noun
// that the error names.
func CheckName(what, name string) error {
	if name == "" {
		return fmt.Errorf("%s: the name is empty", what)
	}
	if len(name) > maxName {
		return fmt.Errorf("%s: the name is %d bytes long, at most %d are allowed", what, len(name), maxName)
	}
	for i := range len(name) {
		if !nameByte(name[i], i == 0) {
			return fmt.Errorf("%s %q: a name is letters, digits and . _ @ + - and begins with a letter or digit", what, name)
		}
	}
	return nil
}

func nameByte(c byte, first bool) bool {
	switch c {
	case '.', '_', '@', '+', '-':
		return !first
	}
	return alphanumeric(c)
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// stamp is a time as every store keeps it: UTC, in microseconds, so that what was made and what
// is read back are equal.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
