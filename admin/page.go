package admin

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// Page is what every list takes.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the list before; none: from the beginning"`
}

// after gives the id that the page begins behind.
func (p Page) after() (string, error) {
	id, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || !utf8.Valid(id) || bytes.ContainsRune(id, 0) { // which a store would choke on
		return "", huma.Error400BadRequest("cursor: it is none that a list gave")
	}
	return string(id), nil
}

// list is a part of a list in a body.
type list[T any] struct {
	Data       []T    `json:"data"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Where the list goes on; none at its end"`
}

// listed is the answer of every list.
type listed[T any] struct{ Body list[T] }

// listOf makes the answer of one item more than asked for, which says that there are more.
func listOf[N, T any](p Page, found []N, id func(N) string, show func(N) T) *listed[T] {
	out := &listed[T]{Body: list[T]{Data: []T{}}}
	for i, n := range found {
		if i == p.Limit {
			out.Body.NextCursor = base64.RawURLEncoding.EncodeToString([]byte(id(found[i-1])))
			break
		}
		out.Body.Data = append(out.Body.Data, show(n))
	}
	return out
}
