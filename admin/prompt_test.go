package admin

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

const greeting = `{"messages":[{"role":"system","content":"Be kind.\nGreet {{name}}."},{"role":"user","content":"Hello"}],
	"model":"fast","parameters":{"temperature":0.2},"variables":{"name":{"type":"string"}}`

// A prompt's life: made, a version, a label, a split, rendered, compared, moved back, removed.
func TestPrompts(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		ask := func(status int, method, path, body string, headers ...string) answerOf {
			t.Helper()
			return a.wants(status, a.root, method, path, body, headers...)
		}
		made := ask(201, "POST", "/prompts", `{"name":"greeting","description":"says hello"}`)
		if made.header.Get("etag") != `"1"` || made.field(t, "latest") != 0.0 {
			t.Errorf("a new prompt is %v %s", made.header, made.body)
		}
		ask(409, "POST", "/prompts", `{"name":"greeting"}`)
		ask(404, "GET", "/prompts/greeting?workspace=other", "")
		ask(201, "POST", "/prompts/greeting/versions", greeting+`,"note":"first","labels":["production"]}`)
		second := strings.Replace(strings.Replace(greeting, "Be kind.", "Be brief.", 1), `0.2}`, `0.7}`, 1)
		if got := ask(201, "POST", "/prompts/greeting/versions", second+`}`); got.field(t, "version") != 2.0 || got.field(t, "author") != "token/"+idOf(a.root) {
			t.Errorf("the second version is %s", got.body)
		}
		rendered := func(version, user string) string {
			t.Helper()
			got := ask(200, "POST", "/prompts/greeting/render", `{"version":"`+version+`","user":"`+user+`","variables":{"name":"Ada"}}`)
			return got.field(t, "prompt").(string)
		}
		if got := rendered("", ""); got != "greeting@1" {
			t.Errorf("production is %s", got)
		}
		if got := rendered("latest", ""); got != "greeting@2" {
			t.Errorf("latest is %s", got)
		}

		ask(200, "PUT", "/prompts/greeting/labels/staging", `{"versions":[{"version":1,"weight":50},{"version":2,"weight":50}]}`)
		seen := map[string]bool{}
		for user := range 40 {
			name := fmt.Sprint("user", user)
			one := rendered("staging", name)
			if seen[one] = true; rendered("staging", name) != one {
				t.Errorf("%s has two versions", name)
			}
		}
		if len(seen) != 2 {
			t.Errorf("40 users saw %v", seen)
		}

		ask(428, "PUT", "/prompts/greeting/labels/production", `{"versions":[{"version":2,"weight":1}]}`)
		ask(412, "PUT", "/prompts/greeting/labels/production", `{"versions":[{"version":2,"weight":1}]}`, "If-Match", `"7"`)
		moved := ask(200, "PUT", "/prompts/greeting/labels/production", `{"versions":[{"version":2,"weight":1}]}`, "If-Match", `"1"`)
		if moved.header.Get("etag") != `"2"` || rendered("", "") != "greeting@2" {
			t.Errorf("the label did not move: %s", moved.body)
		}
		ask(200, "PUT", "/prompts/greeting/labels/production", `{"versions":[{"version":1,"weight":1}]}`, "If-Match", `"2"`) // rolled back
		ask(204, "DELETE", "/prompts/greeting/labels/staging", "", "If-Match", "*")
		ask(404, "GET", "/prompts/greeting/labels/staging", "")

		diff := ask(200, "GET", "/prompts/greeting/diff?from=1&to=2", "")
		const want = `{"from":1,"to":2,"changes":[{"path":"messages[0]","change":"changed","role":"system","lines":[` +
			`{"op":"removed","text":"Be kind."},{"op":"added","text":"Be brief."},{"op":"same","text":"Greet {{name}}."}]},` +
			`{"path":"parameters.temperature","change":"changed","before":0.2,"after":0.7}]}`
		if diff.body != want {
			t.Errorf("the difference is\n%s\nwant\n%s", diff.body, want)
		}

		ask(428, "DELETE", "/prompts/greeting", "")
		ask(204, "DELETE", "/prompts/greeting", "", "If-Match", "*")
		for _, path := range []string{"/prompts/greeting", "/prompts/greeting/versions", "/prompts/greeting/versions/1", "/prompts/greeting/labels/production"} {
			ask(404, "GET", path, "")
		}
		do(t, a.auditor.turn(t.Context()))
		log := ask(200, "GET", "/audit?action=prompts.*&limit=200", "")
		for _, target := range []string{"prompt/greeting", "prompt/greeting@1", "prompt/greeting@production"} {
			if !strings.Contains(log.body, `"target":"`+target+`"`) {
				t.Errorf("the audit log does not tell of %s", target)
			}
		}
	})
}

func idOf(text string) string {
	id, _ := storage.ParseAdminToken(text)
	return id
}

func TestPromptsRefuse(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(201, a.root, "POST", "/prompts", `{"name":"greeting"}`)
		a.wants(201, a.root, "POST", "/prompts/greeting/versions", greeting+`}`)
		f := func(status int, method, path, body, says string) {
			t.Helper()
			if got := a.wants(status, a.root, method, path, body, "If-Match", "*"); !strings.Contains(got.body, says) {
				t.Errorf("%s %s %s: %s does not say %q", method, path, body, got.body, says)
			}
		}
		for _, name := range []string{"a@b", "a/b", "pmpt_1", ""} {
			f(422, "POST", "/prompts", `{"name":"`+name+`"}`, "prompt")
		}
		f(422, "POST", "/prompts/greeting/versions", `{"messages":[{"role":"user","content":"{{x}}"}]}`, "body.messages[0].content")
		f(422, "POST", "/prompts/greeting/versions", `{"messages":[{"role":"boss","content":"x"}]}`, "role")
		f(422, "POST", "/prompts/greeting/versions", `{"messages":[{"role":"user","content":"{{> /etc/passwd}}"}]}`, "partials")
		f(422, "POST", "/prompts/greeting/versions", `{"messages":[{"role":"user","content":"x"}],"variables":{"a":{"$ref":"file:///etc/passwd"}}}`, "body.variables.a")
		f(422, "POST", "/prompts/greeting/versions", `{"messages":[{"role":"user","content":"x"}],"labels":["7"]}`, "label")
		f(422, "POST", "/prompts/greeting/versions", `{"messages":[{"role":"user","content":"x"}],"version":9}`, "version")
		f(404, "POST", "/prompts/other/versions", greeting+`}`, "other")
		f(422, "PUT", "/prompts/greeting/labels/production", `{"versions":[{"version":2,"weight":1}]}`, "no version 2")
		f(422, "PUT", "/prompts/greeting/labels/production", `{"versions":[{"version":1,"weight":1},{"version":1,"weight":1}]}`, "twice")
		f(422, "PUT", "/prompts/greeting/labels/3", `{"versions":[{"version":1,"weight":1}]}`, "number")
		f(400, "POST", "/prompts/greeting/render", `{}`, "'name'")
		f(400, "POST", "/prompts/greeting/render", `{"variables":{"name":7}}`, "body.variables.name")
		f(404, "POST", "/prompts/greeting/render", `{"version":"staging","variables":{"name":"x"}}`, "greeting@staging")
		f(404, "POST", "/prompts/greeting/render", `{"version":"5","variables":{"name":"x"}}`, "")
		if got := a.wants(200, a.root, "GET", "/prompts/greeting", "").field(t, "latest"); got != 1.0 {
			t.Errorf("what was refused took the number %v", got)
		}
	})
}

// Versions that are made at the same time all get a number of their own.
func TestPromptVersionsAtOnce(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(201, a.root, "POST", "/prompts", `{"name":"greeting"}`)
		const many = 8
		var group sync.WaitGroup
		for i := range many {
			group.Go(func() {
				key := fmt.Sprint("once-", i/2) // every second one is the one before, sent again
				body := greeting + `,"note":"` + key + `"}`
				if got := a.ask(a.root, "POST", "/prompts/greeting/versions", body, "Idempotency-Key", key); got.status != 201 {
					t.Errorf("%d %s", got.status, got.body)
				}
				if got := a.ask(a.root, "POST", "/prompts/greeting/versions", greeting+`,"note":"plain"}`); got.status != 201 {
					t.Errorf("%d %s", got.status, got.body)
				}
			})
		}
		group.Wait()
		var page struct{ Data []PromptVersion }
		do(t, json.Unmarshal([]byte(a.wants(200, a.root, "GET", "/prompts/greeting/versions?limit=200", "").body), &page))
		notes := map[string]int{}
		for i, v := range page.Data {
			if v.Number != i+1 {
				t.Errorf("version %d stands at %d", v.Number, i+1)
			}
			notes[v.Note]++
		}
		if len(page.Data) != many+many/2 || notes["plain"] != many {
			t.Errorf("there are %d versions: %v", len(page.Data), notes)
		}
	})
}

func TestPromptPages(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		for _, name := range []string{"b", "a", "c"} {
			a.wants(201, a.root, "POST", "/prompts", `{"name":"`+name+`"}`)
			for range 3 {
				a.wants(201, a.root, "POST", "/prompts/"+name+"/versions", greeting+`,"labels":["production"]}`)
			}
		}
		var names []string
		for cursor := ""; ; {
			got := a.wants(200, a.root, "GET", "/prompts?limit=2&cursor="+cursor, "")
			var page struct {
				Data []Prompt
				Next string `json:"next_cursor"`
			}
			do(t, json.Unmarshal([]byte(got.body), &page))
			for _, p := range page.Data {
				names = append(names, p.Name)
				if p.Latest != 3 || p.Labels["production"][0].Version != 3 {
					t.Errorf("%s is listed as %+v", p.Name, p)
				}
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if strings.Join(names, "") != "abc" {
			t.Errorf("listed are %v", names)
		}
	})
}
