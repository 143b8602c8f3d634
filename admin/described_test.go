package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// described is the description that every exchange of these tests is held against.
type described struct {
	paths    map[string]map[string]operation
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema
}

type operation struct {
	RequestBody struct {
		Content map[string]json.RawMessage `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]json.RawMessage `json:"content"`
	} `json:"responses"`
}

var description = sync.OnceValues(func() (*described, error) {
	text, err := OpenAPI("test")
	if err != nil {
		return nil, err
	}
	d := &described{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.compiler.AssertFormat()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if err := d.compiler.AddResource("openapi.json", document); err != nil {
		return nil, err
	}
	said := struct {
		Paths map[string]map[string]operation `json:"paths"`
	}{}
	err = json.Unmarshal(text, &said)
	d.paths = said.Paths
	return d, err
})

// template finds the path of the description that a request went to, "" where it has none.
func (d *described) template(path string) string {
	path, _, _ = strings.Cut(path, "?")
	asked := strings.Split(path, "/")
	best := ""
	for template := range d.paths {
		parts := strings.Split(template, "/")
		fits := len(parts) == len(asked)
		for i := 0; fits && i < len(parts); i++ {
			fits = parts[i] == asked[i] || strings.HasPrefix(parts[i], "{")
		}
		if fits && (best == "" || strings.Count(template, "{") < strings.Count(best, "{")) {
			best = template
		}
	}
	return best
}

// judge holds an exchange against the description.
func (d *described) judge(method, path, body string, got *answerOf) error {
	template := d.template(path)
	op, ok := d.paths[template][strings.ToLower(method)]
	if !ok || got.status == http.StatusTemporaryRedirect && strings.Contains(path, "/.") {
		return nil // what there is not is described nowhere, nor that a path is to be a clean one
	}
	at := "/paths/" + pointer(template) + "/" + strings.ToLower(method)
	if _, takes := op.RequestBody.Content["application/json"]; takes && got.status < 300 {
		if err := d.validate(at+"/requestBody/content/application~1json/schema", body); err != nil {
			return fmt.Errorf("the request that was taken: %w", err)
		}
	}
	status := strconv.Itoa(got.status)
	answer, ok := op.Responses[status]
	if !ok && got.status >= 400 {
		status = "default"
		answer, ok = op.Responses[status]
	}
	if !ok {
		return fmt.Errorf("status %d is not described", got.status)
	}
	media, _, _ := strings.Cut(got.header.Get("content-type"), ";")
	if _, ok := answer.Content[media]; !ok && (got.body != "" || len(answer.Content) > 0) {
		return fmt.Errorf("an answer of %q with status %d is not described", media, got.status)
	}
	if !strings.HasSuffix(media, "json") {
		return nil
	}
	return d.validate(at+"/responses/"+status+"/content/"+pointer(media)+"/schema", got.body)
}

func pointer(part string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(part) }

func (d *described) validate(at, text string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	schema, ok := d.schemas[at]
	if !ok {
		var err error
		// What is in braces is a template's, and an escape of a URL otherwise.
		if schema, err = d.compiler.Compile("openapi.json#" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(at)); err != nil {
			return err
		}
		d.schemas[at] = schema
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// What is described is held against what is answered, and would find that it is not so.
func TestDescribed(t *testing.T) {
	d, err := description()
	do(t, err)
	f := func(want, method, path, body string, status int, media, answer string) {
		t.Helper()
		got := answerOf{status: status, header: map[string][]string{"Content-Type": {media}}, body: answer}
		err := d.judge(method, path, body, &got)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s %s: %v, want %q", method, path, err, want)
		}
	}
	const plain, problem = "application/json", "application/problem+json"
	f("", "GET", "/projects?limit=3", "", 200, plain, `{"data":[]}`)
	f("got null, want array", "GET", "/projects", "", 200, plain, `{"data":null}`)
	f("missing property", "GET", "/projects", "", 200, plain, `{}`)
	f("is not described", "GET", "/projects", "", 202, plain, `{"data":[]}`)
	f("is not described", "GET", "/projects", "", 200, "text/html", `x`)
	f("", "DELETE", "/users/ada", "", 204, "", "")
	f("", "DELETE", "/users/ada", "", 503, problem, `{"status":503}`)
	f("additional properties", "POST", "/projects", `{"name":"x","more":1}`, 201, plain, `{}`)
	f("", "GET", "/nothing", "", 404, problem, `{}`)
}
