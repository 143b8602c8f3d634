package ledger

import (
	"strings"
	"unicode/utf8"

	"github.com/aistrale/aistrale/storage"
)

// Clients choose tags, and with them how many series there are. Past this many series with a
// tag, a store counts what is new under Other; entries keep their real tags. Of what clients
// name as a model the same holds.
const (
	MostTagged   = 50_000
	MostUntagged = 50_000
)

// Other is the tag, or the model, of the series that a full store counts what is new under.
const Other = "(other)"

// Fold is the series that a full store counts s under.
func Fold(s storage.Series) storage.Series {
	if s.Tag != "" {
		s.Tag = Other
	}
	s.Model = Other
	return s
}

// longest is the most bytes of a series' field: nine of them fit in a row of an index.
const longest = 256

// plain is a text as a series has it: every engine can keep it and compare it, and no field is
// too long for an index. It is the text itself but for what only a misuse brings.
func plain(text string) string {
	if len(text) <= longest && utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	text = strings.ReplaceAll(strings.ToValidUTF8(text[:min(len(text), 2*longest)], "\uFFFD"), "\x00", "\uFFFD")
	if len(text) > longest {
		end := longest
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return text
}
