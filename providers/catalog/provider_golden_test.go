package catalog_test

import (
	"bytes"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

// asked is one question of two clients, by the language that they ask it in.
var asked = []struct {
	face providers.Face
	body string
}{
	{openai.Face{}, `{"model":"p/m","stream":true,"messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"What is this?"},` +
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}],"tools":[{"type":"function","function":{"name":"files.read","parameters":` +
		`{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}}],"max_completion_tokens":100,"user":"someone","metadata":{"a":"b"},"stop":"END","seed":7}`},
	{anthropic.Face{}, `{"model":"p/m","max_tokens":100,"system":[{"type":"text","text":"Be brief."},{"type":"text","text":"Be kind.","cache_control":{"type":"ephemeral"}}],` +
		`"messages":[{"role":"user","content":"Read a."},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"read","input":{"path":"a"}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"A"}]}],"tools":[{"name":"read","input_schema":{"type":"object",` +
		`"properties":{"path":{"type":"string"}},"required":["path"]}}],"metadata":{"user_id":"someone"},"stop_sequences":["END"],"temperature":0.5}`},
}

// What each provider is sent, address, credential and all.
func TestProviderGolden(t *testing.T) {
	for _, name := range catalog.Names() {
		t.Run(name, func(t *testing.T) {
			p, ok := catalog.At(name, settings(name))
			if !ok {
				t.Fatal("not known")
			}
			var page bytes.Buffer
			for _, model := range modelsOf(name) {
				for _, client := range asked {
					fmt.Fprintf(&page, "# %s, asked in %s\n\n%s\n", model, client.face.Language(), sentTo(t, &p, model, client.face, client.body))
				}
			}
			providertest.GoldenFile(t, filepath.Join("testdata", "requests", name+".txt"), bytes.TrimSpace(page.Bytes()))
		})
	}
}

func settings(name string) catalog.Settings {
	switch name {
	case "azure":
		return catalog.Settings{BaseURL: "https://resource.openai.azure.com"}
	case "bedrock":
		return catalog.Settings{Location: "eu-central-1"}
	case "vertex":
		return catalog.Settings{Location: "global", Project: "project"}
	case "vllm":
		return catalog.Settings{BaseURL: "http://127.0.0.1:8000/v1"}
	}
	return catalog.Settings{}
}

// modelsOf gives a model for each language of a provider.
func modelsOf(name string) []string {
	switch name {
	case "anthropic":
		return []string{"claude-sonnet-4-5"}
	case "gemini":
		return []string{"gemini-2.5-flash"}
	case "openai":
		return []string{"gpt-4o", "gpt-5-codex"}
	case "huggingface":
		return []string{"openai/gpt-oss-20b:groq"}
	case "bedrock":
		return []string{"eu.anthropic.claude-haiku-4-5-20251001-v1:0", "amazon.nova-pro-v1:0"}
	case "vertex":
		return []string{"claude-sonnet-4-5@20250929", "gemini-2.5-flash"}
	}
	return []string{"some-model"}
}

func sentTo(t *testing.T, p *providers.Provider, model string, face providers.Face, body string) string {
	t.Helper()
	var doc providers.Document
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	can := catalog.Capabilities(p.Name, model)
	route, ok := p.RouteIn(providers.OpChat, face.Language(), model, can.Languages)
	if !ok {
		t.Fatalf("no route for %s", model)
	}
	stream, _, _ := doc.Bool("stream")
	path := route.Path
	if stream && route.StreamPath != "" {
		path = route.StreamPath
	}
	path = strings.NewReplacer("{model}", model, "{id}", url.QueryEscape(model)).Replace(path)
	call := providers.Call{
		Op: providers.OpChat, Doc: &doc, Asked: "p/m", Model: model, Provider: p.Name, Path: path, Stream: stream, ID: "req_golden",
		Created: time.Unix(1_700_000_000, 0), EndUser: "hash", Can: can, Quirks: p.Quirks,
	}
	plan, err := route.Dialect.Splice(&call)
	if route.Language != face.Language() {
		req, failed := face.ReadRequest(&doc)
		if failed != nil {
			t.Fatal(failed)
		}
		plan, err = route.Dialect.WriteRequest(req, &call)
	}
	if err != nil {
		t.Fatal(err)
	}
	return spelled(t, p, &plan)
}

// spelled prints a plan's request as it goes over the wire, with its body in lines.
func spelled(t *testing.T, p *providers.Provider, plan *providers.Plan) string {
	t.Helper()
	r := plan.Requests[0]
	at, err := url.Parse(p.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	if p.Sign != nil {
		p.Sign(&r, providers.Signing{Secret: "AKID:SECRET", BaseURL: p.BaseURL, Time: time.Unix(1_700_000_000, 0).UTC()})
	}
	headers := make([]string, 0, len(r.Headers))
	for _, h := range r.Headers {
		headers = append(headers, h.Name+": "+h.Value)
	}
	slices.Sort(headers)
	value := jsontext.Value(slices.Clone(r.Body))
	if err := value.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatal(err)
	}
	out := "POST " + at.Scheme + "://" + at.Host + providers.Under(at.EscapedPath(), r.Path) + "\n" + strings.Join(headers, "\n") + "\n\n" + string(value) + "\n"
	if len(plan.Dropped) > 0 {
		out += "\ndropped: " + strings.Join(plan.Dropped, ", ") + "\n"
	}
	return out
}
