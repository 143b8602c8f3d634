package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// mistakes is everything that is wrong with a configuration, so that an operator mends it in one
// go. No text in it holds the value of a secret.
type mistakes struct {
	file string
	list []mistake
}

type mistake struct {
	at   place
	path string // of keys: providers[1].base_url
	text string
}

// place is where a value comes from: a line of the file, or an environment variable.
type place struct {
	line int
	env  string
}

// in says the place, in a file.
func (p place) in(file string) string {
	switch {
	case p.env != "":
		return p.env
	case p.line > 0:
		return fmt.Sprintf("%s:%d", file, p.line)
	}
	return file
}

func (m *mistakes) add(at place, path, format string, args ...any) {
	m.list = append(m.list, mistake{at, path, fmt.Sprintf(format, args...)})
}

// orNone is nil where there is no mistake.
func (m *mistakes) orNone() error {
	if len(m.list) == 0 {
		return nil
	}
	return m
}

// Error gives a line for each mistake, in the order of the file, under their number where there
// are several.
func (m *mistakes) Error() string {
	sorted := slices.Clone(m.list)
	slices.SortStableFunc(sorted, func(a, b mistake) int { return cmp.Compare(a.at.line, b.at.line) })
	lines := make([]string, len(sorted))
	for i, one := range sorted {
		lines[i] = m.line(one)
	}
	if lines = slices.Compact(lines); len(lines) > 1 {
		lines = slices.Insert(lines, 0, fmt.Sprintf("%d mistakes:", len(lines)))
	}
	return strings.Join(lines, "\n")
}

func (m *mistakes) line(one mistake) string {
	parts := []string{one.at.in(m.file), one.path, one.text}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}
