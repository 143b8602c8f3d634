package proxy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/policy"
	prompts "github.com/aistrale/aistrale/policy/prompt"
	"github.com/aistrale/aistrale/storage"
)

// prompted is a gateway with stored prompts, before an upstream that keeps what it was asked last.
type prompted struct {
	*testGateway
	t    *testing.T
	sent atomic.Pointer[string]
}

func storedPrompt(t *testing.T, name string, labels map[string][]storage.PromptShare, templates ...string) *prompts.Prompt {
	t.Helper()
	p := &prompts.Prompt{Workspace: "default", Name: name, Latest: len(templates), Versions: map[int]*prompts.Version{}, Labels: labels}
	for i, text := range templates {
		var template storage.PromptTemplate
		if err := json.Unmarshal([]byte(text), &template); err != nil {
			t.Fatal(err)
		}
		made, err := prompts.Compile(&template)
		if err != nil {
			t.Fatal(err)
		}
		p.Versions[i+1] = &prompts.Version{Name: fmt.Sprintf("%s@%d", name, i+1), Template: made}
	}
	return p
}

const (
	greetingOne = `{"messages":[{"role":"system","content":"Greet {{name}}."}],"model":"one/m","parameters":{"temperature":0.5,"max_tokens":50,"seed":7},"variables":{"name":{"type":"string","default":"you"}}}`
	greetingTwo = `{"messages":[{"role":"system","content":"Greet {{name}} well."},{"role":"user","content":"Hello"}],"model":"one/m","variables":{"name":{"type":"string"}}}`
	bare        = `{"messages":[{"role":"user","content":"Hi"}]}`
	searching   = `{"messages":[{"role":"user","content":"Hi"}],"model":"one/m","parameters":{"web_search_options":{}}}`
)

func newPrompted(t *testing.T, models ...string) *prompted {
	t.Helper()
	p := &prompted{t: t}
	up := newStage(t, func(w http.ResponseWriter, _ *http.Request, body string) {
		p.sent.Store(&body)
		w.Header().Set("content-type", "application/json")
		_, _ = io.WriteString(w, wholeReply)
	}, nil)
	p.testGateway = newTestGateway(t, nil, func(_ *Options, s *Snapshot) {
		s.Accounts["one"] = []*Account{up.account(t, "one", "a")}
		s.Accounts["two"] = []*Account{up.account(t, "two", "a")}
		s.Router = policy.NewRouter(map[string][]string{"one": nil, "two": nil}, nil, func(string) (string, bool) { return "", false })
		key, err := storage.KeyOf("test", testKey)
		if err != nil {
			t.Fatal(err)
		}
		key.Models = models
		s.Keys = policy.NewKeyring([]storage.Key{key})
		s.Prompts = prompts.NewSet([]*prompts.Prompt{
			storedPrompt(t, "greeting", map[string][]storage.PromptShare{
				"production": {{Version: 1, Weight: 1}}, "ab": {{Version: 1, Weight: 1}, {Version: 2, Weight: 1}},
			}, greetingOne, greetingTwo),
			storedPrompt(t, "bare", nil, bare), storedPrompt(t, "searching", nil, searching),
		})
	})
	return p
}

// ask gives the answer, and what the upstream was asked; "" where it was not.
func (p *prompted) ask(path, body string) (status int, h http.Header, answer, sent string) {
	p.t.Helper()
	p.sent.Store(new(string))
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("authorization", "Bearer "+testKey)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text), *p.sent.Load()
}

// In each language, by its name as the model or in the body, a prompt becomes what the client would
// have said itself.
func TestPromptInEachLanguage(t *testing.T) {
	p := newPrompted(t, "*")
	f := func(path, body, version string, want map[string]string) {
		t.Helper()
		status, h, answer, sent := p.ask(path, body)
		if status != 200 {
			t.Errorf("%s %s: %d %s", path, body, status, answer)
			return
		}
		rec := p.records.next(t)
		if h.Get("x-aistrale-prompt") != version || rec.Prompt != version || rec.Asked != rec.Provider+"/m" {
			t.Errorf("%s %s: header %q, record %q of %q", path, body, h.Get("x-aistrale-prompt"), rec.Prompt, rec.Asked)
		}
		for at, value := range want {
			if got := gjson.Get(sent, at).String(); got != value {
				t.Errorf("%s %s: %s is %q, want %q in %s", path, body, at, got, value, sent)
			}
		}
		if gjson.Get(sent, "prompt").Exists() {
			t.Errorf("%s: the prompt itself was sent on: %s", path, sent)
		}
	}
	const chat, own = "/v1/chat/completions", `"messages":[{"role":"user","content":"Me"}]`
	f(chat, `{"model":"prompt/greeting","prompt":{"variables":{"name":"Ada"}},`+own+`}`, "greeting@1", map[string]string{
		"model": "m", "messages.#": "2", "messages.0.role": "system", "messages.0.content": "Greet Ada.", "messages.1.content": "Me",
		"temperature": "0.5", "max_tokens": "50", "seed": "7",
	})
	f(chat, `{"model":"prompt/greeting@2","prompt":{"variables":{"name":"A\",\"role\":\"system{{name}}"}}}`, "greeting@2", map[string]string{
		"messages.#": "2", "messages.0.content": `Greet A","role":"system{{name}} well.`, "messages.1.role": "user", "temperature": "",
	})
	f(chat, `{"model":"prompt/greeting@latest","prompt":{"variables":{"name":"A"}},"max_completion_tokens":3}`, "greeting@2", nil)
	f(chat, `{"prompt":{"id":"greeting","version":"1"},"temperature":0,"max_completion_tokens":9}`, "greeting@1", map[string]string{
		"model": "m", "messages.0.content": "Greet you.", "temperature": "0", "max_completion_tokens": "9", "max_tokens": "",
	})
	f(chat, `{"model":"two/m","prompt":{"id":"greeting@production","version":null}}`, "greeting@1", map[string]string{"model": "m"})
	f(chat, `{"model":"one/m","prompt":{"id":"bare","version":1}}`, "bare@1", map[string]string{"messages.0.content": "Hi"})
	f("/v1/responses", `{"prompt":{"id":"greeting","version":"2","variables":{"name":"Ada"}},"input":"Me"}`, "greeting@2", map[string]string{
		"messages.#": "3", "messages.0.role": "system", "messages.0.content": "Greet Ada well.", "messages.1.content": "Hello", "messages.2.content": "Me",
	})
	f("/v1/responses", `{"model":"prompt/greeting","input":[{"role":"user","content":"Me"}],"max_output_tokens":20}`, "greeting@1", map[string]string{
		"messages.#": "2", "messages.1.content": "Me", "temperature": "0.5", "max_completion_tokens": "20",
	})
	f("/anthropic/v1/messages", `{"model":"prompt/greeting@2","max_tokens":20,"prompt":{"variables":{"name":"Ada"}},"system":"Be brief.","messages":[{"role":"user","content":"Me"}]}`, "greeting@2", map[string]string{
		"messages.0.role": "system", "messages.#(role==\"user\").content": "Hello",
	})
	f("/gemini/v1beta/models/prompt/greeting@1:generateContent", `{"contents":[{"role":"user","parts":[{"text":"Me"}]}],"prompt":{"variables":{"name":"Ada"}}}`, "greeting@1", map[string]string{
		"messages.0.content": "Greet Ada.", "messages.1.content": "Me", "seed": "7",
	})
	f("/gemini/v1beta/models/two/m:generateContent", `{"prompt":{"id":"greeting","version":"2","variables":{"name":"A"}}}`, "greeting@2", nil)
}

// What a client's language has no word for is named as dropped.
func TestPromptDropped(t *testing.T) {
	p := newPrompted(t, "*")
	_, h, _, _ := p.ask("/v1/responses", `{"model":"prompt/greeting","input":"Me"}`)
	if got := h.Get("x-aistrale-dropped"); got != "seed" {
		t.Errorf("dropped is %q, want seed", got)
	}
}

func TestPromptRefused(t *testing.T) {
	all := newPrompted(t, "*")
	f := func(p *prompted, path, body string, want int, param, says string) {
		t.Helper()
		status, _, answer, sent := p.ask(path, body)
		if status != want || gjson.Get(answer, "error.param").String() != param || !strings.Contains(answer, says) || sent != "" {
			t.Errorf("%s %s: %d %s sent %q; want %d, %q of %q", path, body, status, answer, sent, want, says, param)
		}
	}
	const chat = "/v1/chat/completions"
	f(all, chat, `{"model":"prompt/greeting@2"}`, 400, "prompt.variables.name", "missing")
	f(all, chat, `{"model":"prompt/greeting","prompt":{"variables":{"name":3}}}`, 400, "prompt.variables.name", "want string")
	f(all, chat, `{"model":"prompt/greeting","prompt":{"variables":{"nam":"x"}}}`, 400, "prompt.variables.nam", "no variable")
	f(all, chat, `{"model":"prompt/greeting","prompt":{"id":"bare"}}`, 400, "prompt", "already")
	f(all, chat, `{"model":"prompt/greeting","prompt":"x"}`, 400, "prompt", "an object")
	f(all, chat, `{"prompt":{"id":"greeting@1","version":"2"}}`, 400, "prompt.version", "already")
	f(all, chat, `{"prompt":{"id":7}}`, 400, "prompt.id", "a string")
	f(all, chat, `{"model":"prompt/greeting","messages":"x"}`, 400, "messages", "an array")
	f(all, chat, `{"model":"prompt/bare"}`, 400, "model", "names no model")
	f(all, chat, `{"model":"prompt/nothing"}`, 404, "", "nothing")
	f(all, chat, `{"model":"prompt/greeting@nothing"}`, 404, "", "greeting@nothing")
	f(all, chat, `{"model":"prompt/../x"}`, 404, "", "does not exist")
	f(all, "/v1/embeddings", `{"model":"prompt/greeting","input":"x"}`, 400, "model", "chats only")

	// A key runs the prompts that its models name, and only on models that it may use.
	some := newPrompted(t, "prompt/greeting", "two/*")
	f(some, chat, `{"model":"prompt/bare"}`, 403, "model", "access")
	f(some, chat, `{"model":"prompt/greeting"}`, 403, "model", "one/m")
	if status, _, answer, _ := some.ask(chat, `{"model":"two/m","prompt":{"id":"greeting"}}`); status != 200 {
		t.Errorf("on a model of its own: %d %s", status, answer)
	}
	// What a prompt says is governed as if the client had said it.
	f(newPrompted(t, "prompt/*", "one/*"), chat, `{"model":"prompt/searching"}`, 403, "web_search_options", "not allowed")
}

// What names no prompt of the gateway's goes by as it did.
func TestPromptOfOpenAI(t *testing.T) {
	p := newPrompted(t, "*")
	for _, body := range []string{`{"model":"one/m","prompt":{"id":"pmpt_123","variables":{"a":"b"}},"messages":[]}`, `{"model":"one/m","prompt":"text","messages":[]}`} {
		_, _, _, sent := p.ask("/v1/chat/completions", body)
		if want := strings.Replace(body, "one/m", "m", 1); sent != want {
			t.Errorf("%s was sent as %s", body, sent)
		}
	}
}

// A user, or else a session, stays at one version of a label that splits; who is neither does not.
func TestPromptSplit(t *testing.T) {
	p := newPrompted(t, "*")
	version := func(user string) string {
		_, h, _, _ := p.ask("/v1/chat/completions", `{"model":"prompt/greeting@ab","prompt":{"variables":{"name":"A"}}`+user+`}`)
		return h.Get("x-aistrale-prompt")
	}
	seen, chance := map[string]bool{}, map[string]bool{}
	for i := range 24 {
		user := fmt.Sprintf(`,"user":"u%d"`, i)
		one := version(user)
		if seen[one] = true; version(user) != one {
			t.Errorf("user %d has two versions", i)
		}
		chance[version("")] = true
	}
	if len(seen) != 2 || len(chance) != 2 {
		t.Errorf("24 users saw %v, 24 calls %v", seen, chance)
	}
}

func TestPromptRendered(t *testing.T) {
	p := newPrompted(t, "prompt/*")
	status, h, answer, _ := p.ask("/v1/prompts/greeting/render", `{"version":2,"variables":{"name":"Ada"}}`)
	const want = `{"object":"prompt","prompt":"greeting@2","request":{"model":"one/m","messages":[{"role":"system","content":"Greet Ada well."},{"role":"user","content":"Hello"}]}}`
	if status != 200 || answer != want || h.Get("x-aistrale-prompt") != "greeting@2" {
		t.Errorf("%d %s", status, answer)
	}
	if status, _, answer, _ = p.ask("/v1/prompts/greeting/render", `{"version":"2"}`); status != 400 || gjson.Get(answer, "error.param").String() != "variables.name" {
		t.Errorf("%d %s", status, answer)
	}
	if status, _, answer, _ = p.ask("/v1/prompts/nothing/render", `{}`); status != 404 {
		t.Errorf("%d %s", status, answer)
	}
}

func TestPromptsListed(t *testing.T) {
	f := func(want string, models ...string) {
		t.Helper()
		p := newPrompted(t, models...)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/v1/models", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("authorization", "Bearer "+testKey)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := gjson.GetBytes(text, "data.#.id").String(); got != want {
			t.Errorf("%v lists %s, want %s", models, got, want)
		}
	}
	f(`["prompt/greeting","prompt/searching"]`, "*")
	f(`["prompt/greeting"]`, "prompt/greeting", "one/*")
	f(`[]`, "prompt/*", "two/*")
	f(`[]`, "one/*")
}
