package proxy

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// What a client may hang on its call for the ledger.
const (
	maxTags     = 16   // of a request, beside its key's
	maxTag      = 64   // bytes
	maxEndUser  = 256  // bytes; a longer name is cut
	maxMetadata = 4096 // bytes; more is left out
	maxRetry    = 1000
)

// label takes what the client says about its call into the record: x-aistrale-tags, the
// request's user and metadata, and which of its own retries the call is.
func (f *flight) label() error {
	h := &f.fc.Request.Header
	if err := f.tag(h.Peek("x-aistrale-tags")); err != nil {
		return err
	}
	if v := h.Peek("x-stainless-retry-count"); len(v) > 0 {
		if n, err := strconv.Atoi(string(v)); err == nil && n > 0 && n <= maxRetry {
			f.rec.Retry = n
		}
	}
	user := f.asked.EndUser
	f.rec.EndUser = strings.ToValidUTF8(user[:min(len(user), maxEndUser)], "")
	if raw := bytes.TrimSpace(f.asked.Metadata); len(raw) > len("{}") && len(raw) <= maxMetadata && raw[0] == '{' {
		f.rec.Metadata = string(raw)
	}
	f.nameSession()
	return nil
}

// nameSession takes over the client's name of its session, which the ledger has among the
// request's metadata.
func (f *flight) nameSession() {
	h := &f.fc.Request.Header
	said := gjson.GetBytes(f.asked.Metadata, "session_id")
	f.rec.Session = cmp.Or(clientID(h.Peek("x-aistrale-session")), clientID(h.Peek("x-claude-code-session-id")), clientID([]byte(said.String())))
	if f.rec.Session == "" || said.Exists() {
		return
	}
	b := []byte(`{"session_id":`)
	if f.rec.Metadata != "" {
		b = append([]byte(f.rec.Metadata[:len(f.rec.Metadata)-1]), `,"session_id":`...)
	}
	f.rec.Metadata = string(append(providers.AppendString(b, f.rec.Session), '}'))
}

// tag adds the request's tags to the key's. The list is the key's own, so it is copied.
func (f *flight) tag(header []byte) error {
	if len(header) == 0 {
		return nil
	}
	tags := slices.Clone(f.rec.Tags)
	for name := range bytes.SplitSeq(header, []byte(",")) {
		name = bytes.TrimSpace(name)
		if len(name) == 0 || slices.Contains(tags, string(name)) {
			continue
		}
		if len(name) > maxTag || !printable(name) || bytes.IndexByte(name, '*') >= 0 {
			return providers.Invalid("x-aistrale-tags", "A tag is at most "+strconv.Itoa(maxTag)+" printable ASCII characters other than , and *.")
		}
		tags = append(tags, string(name))
		if len(tags)-len(f.rec.Tags) > maxTags {
			return providers.Invalid("x-aistrale-tags", "A request has at most "+strconv.Itoa(maxTags)+" tags.")
		}
	}
	f.rec.Tags = tags
	return nil
}
