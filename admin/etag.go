package admin

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/storage"
)

// etag is the revision of a noun as a header says it.
func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// Match is what every change of a noun takes.
type Match struct {
	IfMatch string `header:"If-Match" doc:"The ETag of what is changed, as it was read; * takes any"`
}

// holds says why the noun that is there is not the one that the caller has read.
func (m Match) holds(revision int64) error {
	if m.IfMatch == "" {
		return huma.Error428PreconditionRequired("If-Match is needed: the ETag of what is changed, or *")
	}
	for _, tag := range strings.Split(m.IfMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etag(revision) {
			return nil
		}
	}
	return storage.ErrChanged
}

// one is the answer with one noun.
type one[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

// nothing is an answer without a body.
type nothing struct{}
