package mock

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// shelves is what the mock keeps for its accounts. Each credential has a shelf of its own, and
// each shelf counts by itself: two accounts give the same ids.
type shelves struct {
	mu  sync.Mutex
	all map[string]*shelf
}

func (s *shelves) of(credential string) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*shelf{}
	}
	if s.all[credential] == nil {
		s.all[credential] = &shelf{}
	}
	return s.all[credential]
}

// shelf is what one account keeps.
type shelf struct {
	mu   sync.Mutex
	last int
	all  []*thing // the oldest first
}

// thing is one object: its members in order, and its bytes where it is a file.
type thing struct {
	kind, id, within string // within is the object that it stands in
	members          []trait
	content          []byte
	calls            string // of a batch: the file
}

type trait struct {
	name  string
	value []byte // JSON
}

// set puts a member in place.
func (t *thing) set(name string, value []byte) {
	for i := range t.members {
		if t.members[i].name == name {
			t.members[i].value = value
			return
		}
	}
	t.members = append(t.members, trait{name, value})
}

func (t *thing) text(name, value string) { t.set(name, providers.AppendString(nil, value)) }

// json says the object.
func (t *thing) json() []byte {
	b := providers.AppendString([]byte(`{"id":`), t.id)
	for _, m := range t.members {
		b = append(providers.AppendString(append(b, ','), m.name), ':')
		b = append(b, m.value...)
	}
	return append(b, '}')
}

// add makes an object of a kind; begin is how such ids begin.
func (s *shelf) add(kind, begin, within string) *thing {
	s.last++
	t := &thing{kind: kind, id: begin + strings.Repeat("0", 8-len(strconv.Itoa(s.last))) + strconv.Itoa(s.last), within: within}
	s.all = append(s.all, t)
	return t
}

func (s *shelf) find(kind, id, within string) *thing {
	for _, t := range s.all {
		if t.kind == kind && t.id == id && t.within == within {
			return t
		}
	}
	return nil
}

func (s *shelf) remove(gone *thing) {
	kept := s.all[:0]
	for _, t := range s.all {
		if t != gone && t.within != gone.id {
			kept = append(kept, t)
		}
	}
	s.all = kept
}

// collections are the kinds of objects by the name in their path: at the top, and in another.
var collections = map[string]struct{ kind, begin, object string }{
	"files":                      {"file", "file-", "file"},
	"uploads":                    {"upload", "upload_", "upload"},
	"batches":                    {"batch", "batch_", "batch"},
	"vector_stores":              {"vector_store", "vs_", "vector_store"},
	"conversations":              {"conversation", "conv_", "conversation"},
	"containers":                 {"container", "cntr_", "container"},
	"responses":                  {"response", "resp_", "response"},
	"responses/input_items":      {"response.item", "item_", "message"},
	"uploads/parts":              {"part", "part_", "upload.part"},
	"vector_stores/files":        {"vector_store.file", "", "vector_store.file"},
	"vector_stores/file_batches": {"vector_store.file_batch", "vsfb_", "vector_store.file_batch"},
	"conversations/items":        {"item", "msg_", "message"},
	"containers/files":           {"container.file", "cfile_", "container.file"},
}

// isStored reports whether a path is of what the mock keeps.
func isStored(path string) bool {
	root, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	_, ok := collections[root]
	return ok
}

// errand is one call about stored objects.
type errand struct {
	*visit
	shelf  *shelf
	body   []byte
	doc    gjson.Result
	method string
	steps  []string // of the path
}

// shelf is the caller's.
func (v *visit) shelf() *shelf {
	h := &v.ctx.Request.Header
	auth := bytes.TrimPrefix(h.Peek("Authorization"), []byte("Bearer "))
	return v.server.shelves.of(cmp.Or(string(auth), string(h.Peek("X-Api-Key")), string(h.Peek("X-Goog-Api-Key"))))
}

// keep answers a call about stored objects.
func (v *visit) keep() bool {
	w := &errand{
		visit: v, shelf: v.shelf(), method: string(v.ctx.Method()),
		steps: strings.Split(strings.Trim(afterAny(string(v.ctx.Path()), OpenAIPath, AnthropicPath+"/v1", GeminiPath, googleUpload), "/"), "/"),
	}
	if !v.ctx.IsGet() && !isPiece(v.ctx) && !bytes.HasPrefix(v.ctx.Request.Header.ContentType(), []byte("multipart/form-data")) {
		w.body = v.ctx.PostBody()
		if w.doc = gjson.ParseBytes(w.body); len(w.body) > 0 && (!providers.ValidJSON(w.body) || !w.doc.IsObject()) {
			return v.refuse(invalid("", "We could not parse the JSON body of your request."))
		}
	}
	w.shelf.mu.Lock()
	defer w.shelf.mu.Unlock()
	body, kind, refused := v.place.kept(w)
	if refused != nil {
		return v.refuse(refused)
	}
	v.ctx.SetContentType(kind)
	v.server.calls.end(v.seq, CallFinished, http.StatusOK, 0)
	return v.send(body)
}

// afterAny gives a path without the one of the prefixes that it has.
func afterAny(path string, prefixes ...string) string {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			return rest
		}
	}
	return path
}

const jsonType = "application/json"

func noThing(id string) *refusal {
	return &refusal{status: http.StatusNotFound, message: "No such object: " + id, code: "not_found"}
}

// answer finds the object that the path leads to, and does what is asked.
func (w *errand) answer() (body []byte, contentType string, refused *refusal) {
	steps, within, name := w.steps, "", ""
	for {
		if name += steps[0]; len(steps) == 1 {
			return w.collection(name, within)
		}
		c, ok := collections[name]
		t := w.shelf.find(c.kind, steps[1], within)
		switch {
		case !ok || t == nil:
			return nil, "", noThing(steps[1])
		case len(steps) == 2:
			return w.one(t)
		}
		if _, ok := collections[name+"/"+steps[2]]; !ok || c.kind == "vector_store.file_batch" {
			return w.act(t, steps[2])
		}
		within, name, steps = t.id, name+"/", steps[2:]
	}
}

// collection lists objects or makes one.
func (w *errand) collection(name, within string) ([]byte, string, *refusal) {
	c, ok := collections[name]
	switch {
	case !ok:
		return nil, "", &refusal{status: http.StatusNotFound, message: "Invalid URL"}
	case w.method == http.MethodGet:
		return w.list(c.kind, within), jsonType, nil
	}
	t, refused := w.make(name, within)
	if refused != nil {
		return nil, "", refused
	}
	return t.json(), jsonType, nil
}

func (w *errand) list(kind, within string) []byte {
	b := []byte(`{"object":"list","data":[`)
	n := 0
	for i := len(w.shelf.all) - 1; i >= 0; i-- {
		if t := w.shelf.all[i]; t.kind == kind && t.within == within {
			if n > 0 {
				b = append(b, ',')
			}
			b = append(b, t.json()...)
			n++
		}
	}
	return append(b, `],"has_more":false}`...)
}

// one shows an object, changes it or removes it.
func (w *errand) one(t *thing) ([]byte, string, *refusal) {
	switch w.method {
	case http.MethodDelete:
		w.shelf.remove(t)
		b := providers.AppendString([]byte(`{"id":`), t.id)
		b = providers.AppendString(append(b, `,"object":`...), strings.ReplaceAll(t.kind, "_", ".")+".deleted")
		return append(b, `,"deleted":true}`...), jsonType, nil
	case http.MethodPost:
		w.take(t)
	default:
		if t.kind == "batch" {
			w.workOff(t)
		}
	}
	return t.json(), jsonType, nil
}

// take has an object take over the members of the body.
func (w *errand) take(t *thing) {
	w.doc.ForEach(func(name, value gjson.Result) bool {
		t.set(name.Str, []byte(value.Raw))
		return true
	})
}
