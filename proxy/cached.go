package proxy

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// recollection is what a call has to do with the cache.
type recollection struct {
	key  storage.ReplyKey
	ttl  time.Duration // 0: the call's answer is not kept
	max  int           // bytes of an answer that is kept
	body []byte        // of a stream, as it was sent so far; nil once it is too long
	hit  bool
	age  time.Duration // of a hit
}

func (c *recollection) reset() { *c = recollection{} }

// recall looks whether this call, said to this target, has been answered before. The key's owner,
// or the alias', has to have asked for that; what the answer stands on but the request (a stored
// object, a network) is asked anew each time, and so is what has an answer kept under an id of its own.
func (f *flight) recall(t *target, plan *providers.Plan) bool {
	c := &f.recollection
	c.reset()
	ttl := shorter(f.alias.Cache, f.key.Cache)
	if ttl <= 0 || f.form != nil || f.g.options.Replies == nil || len(plan.Requests) == 0 || f.endpoint.About() || f.call.Keeps != (providers.Keeps{}) || slices.ContainsFunc(f.doc.Hits, changesByItself) {
		return false
	}
	wish := readCacheControl(f.fc.Request.Header.Peek("cache-control"))
	f.replyKey(&c.key, t, plan)
	c.max = f.g.options.Limits.MaxCached
	if !wish.noStore {
		c.ttl, c.body = ttl, []byte{}
	}
	if wish.noCache || wish.noStore {
		return false
	}
	r, ok := f.g.options.Replies.Find(lifetime{f}, &c.key)
	if !ok {
		return false
	}
	if c.age = max(0, time.Since(r.Time)); c.age > ttl || wish.maxAge >= 0 && c.age > wish.maxAge {
		return false
	}
	c.hit, c.ttl = true, 0
	f.rec.Served, f.rec.Exact, f.rec.Dropped, f.rec.Credential = r.Served, r.Exact, plan.Dropped, r.Credential
	f.rec.Outcome = storage.OutcomeCached
	f.reply.finish = r.Finish
	f.reply.whole, f.reply.contentType = true, r.ContentType
	f.scratch = append(f.scratch[:0], r.Body...)
	return true
}

// changesByItself tells fields whose meaning is not in the request.
func changesByItself(h providers.Hit) bool {
	return h.Rule.Effect == providers.NamesObject || h.Rule.Effect == providers.ReachesNetwork
}

// replyKey names an answer by everything that it follows from: whose it is, in which words it is
// asked for and given, and what goes upstream.
func (f *flight) replyKey(key *storage.ReplyKey, t *target, plan *providers.Plan) {
	h := sha256.New()
	part(h, "aistrale reply 1")
	part(h, f.rec.Workspace)
	part(h, f.rec.Project)
	part(h, f.endpoint.Face.Language())
	part(h, f.endpoint.Path)
	part(h, f.rec.Asked)
	part(h, t.Provider)
	part(h, t.account.BaseURL)
	part(h, strconv.FormatBool(f.call.Stream))
	part(h, strconv.FormatBool(f.call.IncludeUsage))
	partLines(h, f.call.Forwarded)
	for _, name := range t.account.ForwardExact {
		part(h, f.fc.Request.Header.Peek(name))
	}
	for i := range plan.Requests {
		r := &plan.Requests[i]
		part(h, r.Path)
		partSize(h, r.Size())
		_ = r.WriteBody(h)
		partLines(h, r.Headers)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	key.Place = sha256.Sum256(append([]byte("place"), sum[:]...))
	key.Seal = sha256.Sum256(append([]byte("seal"), sum[:]...))
}

func partLines(h hash.Hash, lines []providers.Header) {
	part(h, strconv.Itoa(len(lines)))
	for i := range lines {
		part(h, lines[i].Name)
		part(h, lines[i].Value)
	}
}

// part hashes a text with its length, so that no two lists of texts are alike.
func part[T string | []byte](h hash.Hash, text T) {
	partSize(h, len(text))
	_, _ = h.Write([]byte(text)) // a hash never fails
}

func partSize(h hash.Hash, n int) {
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(n))
	_, _ = h.Write(size[:])
}

// sent notes bytes of a stream that the client was given.
func (c *recollection) sent(p []byte) {
	switch {
	case c.body == nil:
	case len(c.body)+len(p) > c.max:
		c.body, c.ttl = nil, 0
	default:
		c.body = append(c.body, p...)
	}
}

// remember keeps an answer that came to its proper end.
func (f *flight) remember(body []byte) {
	c := &f.recollection
	if c.ttl <= 0 || len(body) == 0 || len(body) > c.max {
		return
	}
	rec := &f.rec
	f.g.options.Replies.Keep(&c.key, storage.Reply{
		Time: time.Now(), ContentType: f.reply.contentType, Provider: rec.Provider, Model: rec.Model, Credential: rec.Credential,
		Served: rec.Served, Finish: f.reply.finish, Exact: rec.Exact, Body: slices.Clone(body),
	}, c.ttl)
	c.ttl = 0
}

// writeCache says whether the answer was kept from an earlier call.
func (c *recollection) writeCache(l *lines) {
	switch {
	case c.hit:
		l.put("X-Aistrale-Cache", "hit")
		l.putInt("Age", int64(c.age/time.Second))
	case c.max > 0:
		l.put("X-Aistrale-Cache", "miss")
	}
}

// cacheControl is what a client says of caches.
type cacheControl struct {
	noStore, noCache bool
	maxAge           time.Duration // -1: not said
}

// readCacheControl reads a request's cache-control.
// Source: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1
func readCacheControl(header []byte) cacheControl {
	c := cacheControl{maxAge: -1}
	if len(header) == 0 {
		return c
	}
	for word := range bytes.SplitSeq(header, []byte(",")) {
		name, value, _ := bytes.Cut(bytes.ToLower(bytes.TrimSpace(word)), []byte("="))
		switch string(name) {
		case "no-store":
			c.noStore = true
		case "no-cache":
			c.noCache = true
		case "max-age":
			if s, err := strconv.ParseUint(string(bytes.Trim(value, `"`)), 10, 31); err == nil {
				c.maxAge = time.Duration(s) * time.Second
			}
		}
	}
	return c
}
