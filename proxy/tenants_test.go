package proxy

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/responses"
	"github.com/aistrale/aistrale/storage"
)

// The keys of the tenants: two of one workspace, and one of another.
const mine, also, theirs = 0, 1, 2

// keepingStage is a provider that keeps what it is told to: two accounts at one address.
type keepingStage struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // "credential METHOD path body"
	reply func(r *http.Request) string
	files map[string]string // contents
}

func newKeepingStage(t *testing.T) *keepingStage {
	t.Helper()
	s := &keepingStage{files: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		secret := cmp.Or(strings.TrimPrefix(r.Header.Get("authorization"), "Bearer "), r.Header.Get("x-api-key"), r.Header.Get("x-goog-api-key"))
		credential := strings.TrimPrefix(secret, "secret-")
		s.asked = append(s.asked, strings.TrimSpace(credential+" "+r.Method+" "+r.URL.RequestURI()+" "+string(body)))
		w.Header().Set("content-type", "application/json")
		id, isContent := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/files/"), "/content")
		switch {
		case isContent && s.files[id] != "":
			_, _ = io.WriteString(w, s.files[id])
		case s.reply != nil:
			_, _ = io.WriteString(w, s.reply(r))
		case strings.HasSuffix(r.URL.Path, "/chat/completions"):
			_, _ = io.WriteString(w, wholeReply)
		case strings.HasSuffix(r.URL.Path, "/messages"):
			_, _ = io.WriteString(w, `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`)
		case strings.HasSuffix(r.URL.Path, ":generateContent"):
			_, _ = io.WriteString(w, `{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}`)
		default:
			_, _ = fmt.Fprintf(w, `{"id":%q,"object":"it"}`, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// calls gives what was asked since the last time.
func (s *keepingStage) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.asked
	s.asked = nil
	return out
}

// keep gives a file its content.
func (s *keepingStage) keep(id, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[id] = content
}

func (s *keepingStage) answers(reply func(r *http.Request) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

// tenants is a gateway of three keys in front of a provider with the accounts "one" and "two",
// and of another provider.
type tenants struct {
	*testGateway
	shelf *shelf
	up    *keepingStage
	pages *pages
}

func newTenants(t *testing.T, change ...setting) *tenants {
	t.Helper()
	w := &tenants{shelf: &shelf{}, up: newKeepingStage(t), pages: &pages{}}
	account := func(of, name, credential string) *Account {
		up, err := NewPool(PoolOptions{BaseURL: w.up.URL, UserAgent: "test", Connect: time.Second, MaxConns: 64})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(up.Close)
		p, _ := catalog.At(of, catalog.Settings{BaseURL: w.up.URL})
		p.Name = name
		return &Account{
			Provider: p, Credential: credential, Secret: storage.NewSecret("secret-" + name + "-" + credential), Upstream: up,
			FirstByte: 20 * time.Second, StreamIdle: 20 * time.Second,
		}
	}
	w.testGateway = newTestGateway(t, nil, append([]setting{func(o *Options, s *Snapshot) {
		o.Objects, o.Journal, o.Watch = w.shelf, w.pages, catalog.Governed()
		s.Accounts = map[string][]*Account{
			"openai":    {account("openai", "openai", "one"), account("openai", "openai", "two")},
			"anthropic": {account("anthropic", "anthropic", "one"), account("anthropic", "anthropic", "two")},
			"gemini":    {account("gemini", "gemini", "one"), account("gemini", "gemini", "two")},
			"other":     {account("openai", "other", "")},
		}
		s.Router = policy.NewRouter(map[string][]string{"openai": nil, "anthropic": nil, "gemini": nil, "other": nil}, nil, func(string) (string, bool) { return "", false })
		var keys []storage.Key
		for i := range 3 {
			key, err := storage.KeyOf(fmt.Sprint("test", i), keyNumber(i))
			if err != nil {
				t.Fatal(err)
			}
			key.Workspace = "mine"
			if i == theirs {
				key.Workspace = "theirs"
			}
			keys = append(keys, key)
		}
		s.Keys = policy.NewKeyring(keys)
	}}, change...)...)
	return w
}

// own puts an object of a workspace on the shelf.
func (w *tenants) own(workspace, credential string, kind providers.ObjectKind, id string) {
	w.ownAt("openai", workspace, credential, kind, id)
}

func (w *tenants) ownAt(provider, workspace, credential string, kind providers.ObjectKind, id string) {
	w.shelf.mu.Lock()
	defer w.shelf.mu.Unlock()
	if slices.ContainsFunc(w.shelf.all, func(o storage.Object) bool { return o.ID == id && o.At(provider, credential) }) {
		return
	}
	w.shelf.all = append(w.shelf.all, storage.Object{
		Provider: provider, Credential: credential, ID: id, Kind: kind, Workspace: workspace,
		CreatedAt: time.Unix(int64(len(w.shelf.all)), 0).UTC(),
	})
}

// ask makes a call by the key of a number.
func (w *tenants) ask(t *testing.T, key int, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+keyNumber(key))
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// A naming is a way to name an object: a call with the object's id in it.
type naming struct {
	name, method, path, body string
	ids                      []string // as the store knows them; all of what the call names
	upstream                 string   // a piece of the upstream's path
	odd                      bool     // in an unusual form
	provider                 string   // that keeps the objects
}

// namings generates every way: each variable of each path, and each governed field in each call
// that has a body.
func namings() []naming {
	var all []naming
	for i, surface := range catalog.Surfaces() {
		provider := []string{"openai", "anthropic", "gemini"}[i]
		for _, at := range surface.Endpoints {
			if at.About() {
				all = append(all, namingsAt(provider, surface.Prefix, &at)...)
			}
		}
	}
	return append(all, faces()...)
}

func namingsAt(provider, prefix string, at *providers.Endpoint) []naming {
	path := prefix + at.Path
	one := naming{method: at.Method, provider: provider}
	for _, name := range at.Stored.Names {
		path = strings.ReplaceAll(path, "{"+name+"}", "id_"+name)
		one.ids = append(one.ids, at.Stored.Prefix+"id_"+name)
	}
	one.path = parts.Replace(path)
	one.upstream = parts.Replace(at.Stored.Path)
	for _, name := range at.Stored.Names {
		one.upstream = strings.ReplaceAll(one.upstream, "{"+name+"}", "id_"+name)
	}
	one.upstream = strings.TrimPrefix(one.upstream, "//")
	var all []naming
	if len(at.Stored.Names) > 0 {
		n := one
		n.name = at.Method + " " + prefix + at.Path
		if at.Method == http.MethodPost {
			n.body = "{}"
		}
		all = append(all, n)
	}
	if at.Method != http.MethodPost || at.Stored.Raw || at.Stored.Hands != nil || at.Stored.Batch != nil && !at.Stored.Costs {
		return all
	}
	return append(all, bodiesAt(one, at)...)
}

// bodiesAt are those calls at an endpoint that name an object in their bodies.
func bodiesAt(one naming, at *providers.Endpoint) []naming {
	more, turns, wrap := "", words, "%s"
	switch {
	case at.Stored.Model != "":
		more, turns = `"`+at.Stored.Model+`":"models/m"`, contents
	case at.Stored.Batch != nil && at.Stored.Batch.Inline:
		more, wrap = `"model":"m","max_tokens":5`, `{"requests":[{"custom_id":"a","params":%s}]}`
	case at.Stored.Batch != nil:
		more = `"input_file_id":"id_input"`
		one.ids = append(slices.Clone(one.ids), "id_input")
	}
	var all []naming
	for _, n := range fields(more, turns, rulesOf(one.provider)) {
		if !slices.Contains([]string{"/v1/batches", "/v1/conversations", "/v1/messages/batches", "/v1beta/cachedContents"}, at.Path) && (n.odd || len(all) == 2) {
			continue // fields, and the forms of their values, are read in one place
		}
		if wrap == "%s" && more != "" && strings.HasPrefix(n.body, `{"input_file_id":`) {
			if n.body = strings.Replace(n.body, ","+more, "", 1); strings.Contains(n.body, "[\"") {
				continue // a batch has one file
			}
		}
		n.name, n.method, n.path = at.Method+" "+one.path+" with "+n.name, at.Method, one.path
		n.upstream, n.provider, n.ids = one.upstream, one.provider, append(slices.Clone(one.ids), n.ids...)
		n.body = fmt.Sprintf(wrap, n.body)
		all = append(all, n)
	}
	return all
}

// parts are variables that name no object of their own.
var parts = strings.NewReplacer("{item}", "part", "{container_file}", "part", "{version}", "part")

// words are turns of a conversation in OpenAI's and Anthropic's words.
const words = `"messages":[{"role":"user","content":"hi"}]`

// contents are the same in Gemini's.
const contents = `"contents":[{"parts":[{"text":"hi"}]}]`

// faces are calls of a model in each language that the gateway speaks with clients.
func faces() []naming {
	var all []naming
	for _, face := range []struct{ provider, path, more, turns, upstream string }{
		{"openai", "/v1/chat/completions", `"model":"openai/m"`, words, "/chat/completions"},
		{"openai", "/v1/responses", `"model":"openai/m"`, `"input":"hi"`, "/responses"},
		{"anthropic", "/anthropic/v1/messages", `"model":"anthropic/m","max_tokens":5`, words, "/v1/messages"},
		{"gemini", "/gemini/v1beta/models/gemini/m:generateContent", `"labels":{}`, contents, "/models/m:generateContent"},
	} {
		for _, n := range fields(face.more, face.turns, slices.Concat(rulesOf("openai"), rulesOf("anthropic"), rulesOf("gemini"))) {
			n.name, n.method, n.path, n.upstream, n.provider = face.provider+" with "+n.name, http.MethodPost, face.path, face.upstream, face.provider
			all = append(all, n)
		}
	}
	return all
}

// fields are bodies that name an object by a governed field, in each form that its value can have.
func fields(more, turns string, rules []providers.Governed) []naming {
	const id, address = "files/id-1", "https://generativelanguage.googleapis.com/v1beta/files/id-1"
	var all []naming
	for _, rule := range rules {
		if rule.Effect != providers.NamesObject || rule.Shared {
			continue
		}
		said := id
		if len(rule.Prefix) > 0 {
			said = address
		}
		values := []string{`"` + said + `"`, `"` + strings.Replace(said, "id", `\u0069d`, 1) + `"`}
		if rule.Members != nil {
			values = append(values, `{"x":"y","`+rule.Members[0]+`":"`+said+`"}`, `{"`+strings.ToUpper(rule.Members[0])+`":"`+said+`"}`)
		} else if len(rule.Prefix) == 0 {
			values = append(values, `["`+said+`"]`)
		}
		if rule.ID != nil && rule.ID(address) == id {
			values = append(values, `"`+address+`?alt=media"`, `"`+strings.Replace(address, "/files/id-1", "/files/id-1:download", 1)+`"`)
		}
		for i, value := range values {
			all = append(all, naming{odd: i > 0, name: rule.Path + " = " + value, ids: []string{id}, body: nest(rule.Path, value, more, turns)})
		}
		if rule.Where != nil {
			typed := strings.Replace(nest(rule.Path, values[0], more, turns), `{"id":`, `{"type":"item_reference","id":`, 1)
			all = append(all, naming{odd: true, name: rule.Path + " of a type", ids: []string{id}, body: typed})
		}
	}
	return all
}

// rulesOf are a language's.
func rulesOf(language string) []providers.Governed {
	switch language {
	case "anthropic":
		return anthropic.Governed()
	case "gemini":
		return gemini.Governed()
	}
	return slices.Concat(openai.Governed(), responses.Governed())
}

// nest makes a body with a value at a governed field's path.
func nest(path, value, more, turns string) string {
	steps := strings.Split(path, ".")
	for i := len(steps) - 1; i > 0; i-- {
		if steps[i] == "#" {
			value = "[" + value + "]"
			continue
		}
		value = `{"` + steps[i] + `":` + value + `}`
	}
	body := `{"` + steps[0] + `":` + value
	if more != "" {
		body += "," + more
	}
	if more != "" && !strings.HasPrefix(turns, `"`+steps[0]+`"`) {
		body += "," + turns
	}
	return body + "}"
}
