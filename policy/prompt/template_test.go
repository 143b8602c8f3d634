package prompt

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// template reads a template as the API takes one.
func template(t testing.TB, text string) *storage.PromptTemplate {
	t.Helper()
	var said storage.PromptTemplate
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		t.Fatal(err)
	}
	return &said
}

func compile(t testing.TB, text string) *Template {
	t.Helper()
	made, err := Compile(template(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestCompile(t *testing.T) {
	f := func(text, at string) {
		t.Helper()
		_, err := Compile(template(t, text))
		var mistake *Mistake
		if !errors.As(err, &mistake) || mistake.At != at {
			t.Errorf("%.200s: %v, want a mistake at %s", text, err, at)
		}
	}
	one := func(content, variables string) string {
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		return `{"messages":[{"role":"user","content":` + string(text) + `}],"variables":` + variables + `}`
	}
	compile(t, one("{{a}} {{#b}}{{.}}{{/b}}{{^b}}none{{/b}} {{#c}}{{name}}{{/c}} {{d.e}}",
		`{"a":{"type":"string"},"b":{"type":"array"},"c":{"type":"array","items":{"properties":{"name":{}}}},"d":true}`))

	f(`{"messages":[]}`, "messages")
	f(`{"messages":[{"role":"tool","content":"x"}]}`, "messages[0].role")
	f(one(strings.Repeat("x", maxTemplate+1), `{}`), "messages")
	for _, content := range []string{
		"{{undeclared}}", "{{#a}}{{undeclared}}{{/a}}", "{{#a}}{{a.b.c}}{{missing.b}}{{/a}}", "{{.}}", "{{{x}}}", "{{&x}}", "{{#x}}{{/x}}", "{{^x}}{{/x}}",
		"{{#c}}{{other}}{{/c}}", "{{d.other}}",
		"{{", "{{}}", "{{#a}}", "{{/a}}", "{{#a}}{{#b}}{{/a}}{{/b}}",
		"{{> /etc/passwd}}", "{{>a}}", "{{=<% %>=}}<%a%>", "{{ = | | = }}",
		strings.Repeat("{{#a}}", maxSections+1) + strings.Repeat("{{/a}}", maxSections+1),
	} {
		f(one(content, `{"a":true,"c":{"items":{"properties":{"name":{}}}},"d":{"properties":{"e":{}}}}`), "messages[0].content")
	}
	f(one("x", `{"a b":true}`), "variables")
	f(one("x", `{"1a":true}`), "variables")
	f(one("x", `{"a":{"type":"no type"}}`), "variables.a")
	f(one("x", `{"a":3}`), "variables.a")
	f(one("x", `{"a":{"type":"string","default":1}}`), "variables.a.default")
	f(one("x", `{"a":{"pattern":"(?=x)"}}`), "variables.a") // no RE2
	f(one("x", `{"a":{"maximum":1e999999}}`), "variables.a")
	f(one("x", `{"a":`+strings.Repeat(`{"not":`, 40)+`{}`+strings.Repeat(`}`, 40)+`}`), "variables.a")
	for _, schema := range []string{
		`{"$ref":"file:///etc/passwd"}`, `{"$ref":"http://169.254.169.254/latest"}`, `{"$ref":"#/$defs/x","$defs":{"x":{}}}`,
		`{"anyOf":[{"$dynamicRef":"https://example.com/s"}]}`, `{"$schema":"https://example.com/meta"}`, `{"$schema":"file:///etc/passwd"}`,
		`{"properties":{"b":{"$ref":"other.json"}}}`, `{"$id":"file:///x","items":{"$ref":"y"}}`,
	} {
		f(one("x", `{"a":`+schema+`}`), "variables.a")
	}
	f(`{"messages":[{"role":"user","content":"x"}],"model":"a b"}`, "model")
	f(`{"messages":[{"role":"user","content":"x"}],"model":"prompt/other"}`, "model")
	f(`{"messages":[{"role":"user","content":"x"}],"parameters":{"model":"x"}}`, "parameters")
	f(`{"messages":[{"role":"user","content":"x"}],"parameters":{"a b":1}}`, "parameters")
}
