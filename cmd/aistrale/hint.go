package main

import (
	"fmt"
	"strings"
)

// hint ends an error about an unknown name: what it may have meant, or what there is.
func hint(word string, known []string) string {
	best, least := "", 1+max(1, min(3, len(word)/3))
	for _, candidate := range known {
		if d := distance(spelling(word), spelling(candidate)); d < least {
			best, least = candidate, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf(", did you mean %q?", best)
	case len(known) == 0 || len(known) > 16:
		return ""
	}
	return "; known are " + strings.Join(known, ", ")
}

// spelling takes away what people vary without thinking.
func spelling(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// distance counts the letters to insert, remove, replace, or swap with a neighbour.
func distance(a, b string) int {
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		old[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := old[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, old[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, old, row = old, row, older
	}
	return old[len(b)]
}
