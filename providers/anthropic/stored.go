package anthropic

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aistrale/aistrale/providers"
)

// storedEndpoints are the paths of what an account keeps. A skill's versions stand only in it.
//
// Sources: https://docs.claude.com/en/api/files-create, .../creating-message-batches,
// .../skills/create-skill and https://github.com/anthropics/anthropic-sdk-go
func storedEndpoints() []providers.Endpoint {
	return slices.Concat(fileEndpoints(), batchEndpoints(), skillEndpoints())
}

// about is an endpoint of stored objects, of which the path names one at the most.
func about(op providers.Op, method, root, tail string, s providers.Stored) providers.Endpoint {
	s.Path = tail
	if _, rest, ok := strings.Cut(tail, "{"); ok {
		name, _, _ := strings.Cut(rest, "}")
		s.Names = []string{name}
	}
	return providers.Endpoint{Method: method, Path: root + tail, Op: op, Stored: &s}
}

func lists(kind providers.ObjectKind) providers.Stored {
	return providers.Stored{Lists: kind, Paging: &providers.Paging{
		Limit: "limit", After: []string{"after_id", "page"}, Refused: []string{"before_id"}, Usual: 20, Most: 100,
		Filters: [][2]string{{"ids", "id"}, {"scope_id", "scope.id"}, {"source", "source"}}, Write: appendPage,
	}}
}

func makes(kind providers.ObjectKind) providers.Stored {
	return providers.Stored{Makes: []providers.Made{{ID: "id", Kind: kind, Bytes: "size_bytes", Expires: "expires_at"}}}
}

const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete

func fileEndpoints() []providers.Endpoint {
	at := func(method, tail string, s providers.Stored) providers.Endpoint {
		return about(providers.OpFiles, method, "/v1/files", tail, s)
	}
	upload := at(post, "", makes(providers.ObjectFile))
	upload.Form = &providers.Form{Files: []string{"file"}}
	return []providers.Endpoint{
		at(get, "", lists(providers.ObjectFile)), upload,
		at(get, "/{file}", providers.Stored{}),
		at(del, "/{file}", providers.Stored{Deletes: true}),
		at(get, "/{file}/content", providers.Bytes()),
	}
}

func skillEndpoints() []providers.Endpoint {
	at := func(method, tail string, s providers.Stored) providers.Endpoint {
		return about(providers.OpSkills, method, "/v1/skills", tail, s)
	}
	form := func(at providers.Endpoint) providers.Endpoint {
		at.Form = &providers.Form{Files: []string{"files[]", "files"}}
		return at
	}
	return []providers.Endpoint{
		at(get, "", lists(providers.ObjectSkill)),
		form(at(post, "", makes(providers.ObjectSkill))),
		at(get, "/{skill}", providers.Stored{}),
		at(del, "/{skill}", providers.Stored{Deletes: true}),
		at(get, "/{skill}/versions", providers.Stored{}),
		form(at(post, "/{skill}/versions", providers.Stored{})),
		at(get, "/{skill}/versions/{version}", providers.Stored{}),
		at(del, "/{skill}/versions/{version}", providers.Stored{}),
	}
}

// appendPage says a list of objects. What comes behind it is asked for by the last one's id, under
// the name that older or newer clients have for that.
func appendPage(dst []byte, p *providers.ObjectPage) []byte {
	dst = append(dst, `{"data":[`...)
	for i, o := range p.Objects {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, o...)
	}
	next := ""
	if p.More {
		next = p.Last
	}
	dst = appendOrNull(append(dst, `],"first_id":`...), p.First)
	dst = appendOrNull(append(dst, `,"last_id":`...), p.Last)
	dst = appendOrNull(append(dst, `,"next_page":`...), next)
	if p.More {
		return append(dst, `,"has_more":true}`...)
	}
	return append(dst, `,"has_more":false}`...)
}

func appendOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return providers.AppendString(dst, s)
}

// reached are the objects that a message tells of: the container that its code ran in, and the
// files that the code has made.
func reached() *providers.Stored {
	return &providers.Stored{
		Makes: []providers.Made{
			{ID: "container.id", Expires: "container.expires_at", Kind: providers.ObjectContainer, Events: []string{"message", "delta"}},
			{ID: "content.#.content.content.#.file_id", Kind: providers.ObjectFile},
			{ID: "content.content.#.file_id", Kind: providers.ObjectFile, Events: []string{"content_block"}},
		},
		Marks: []string{`"container"`, `"file_id"`},
	}
}

// skillsBeta is what the API wants named where a skill is spoken of.
// Source: https://docs.claude.com/en/api/skills/create-skill
const skillsBeta = "skills-2025-10-02"

// StoredHeaders are those that calls about what is kept must have.
func StoredHeaders(op providers.Op) []providers.Header {
	headers := []providers.Header{{Name: "anthropic-version", Value: version}}
	switch op {
	case providers.OpFiles:
		headers = append(headers, providers.Header{Name: "anthropic-beta", Value: filesBeta})
	case providers.OpSkills:
		headers = append(headers, providers.Header{Name: "anthropic-beta", Value: skillsBeta})
	default: // batches need none
	}
	return headers
}
