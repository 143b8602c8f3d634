package storage

import (
	"fmt"
	"io"
)

// Format implements fmt.Formatter: a verb that is not meant for strings (%d) would otherwise
// print the text inside its complaint.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }
