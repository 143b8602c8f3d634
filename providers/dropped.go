package providers

import (
	"slices"
	"unicode/utf8"
)

// Clients choose the names of what they make up, and how many there are of them.
const (
	maxDropped     = 64
	maxDroppedName = 128 // bytes
)

// AddDropped adds the name of what an upstream cannot be told to a Plan's list: each name once,
// cut to 128 bytes, and of the first 64 names only, so that no request is slow to name.
func AddDropped(list []string, name string) []string {
	if len(name) > maxDroppedName {
		end := maxDroppedName
		for !utf8.RuneStart(name[end]) {
			end--
		}
		name = name[:end]
	}
	if len(list) >= maxDropped || slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}
