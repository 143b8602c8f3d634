package anthropic

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestHosted(t *testing.T) {
	vertex := Hosted{Version: "vertex-2023-10-16"}
	bedrock := Hosted{Version: "bedrock-2023-05-31", Bare: true}
	f := func(h Hosted, body, want string, forwarded ...providers.Header) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		plan, err := h.Splice(&providers.Call{Op: providers.OpChat, Doc: &doc, Model: "claude-x", Path: "/p", Forwarded: forwarded})
		if err != nil {
			t.Fatal(err)
		}
		if r := plan.Requests[0]; string(r.Body) != want || len(r.Headers) > 0 || r.Path != "/p" {
			t.Errorf("%s: %v\n%s\nwant\n%s", r.Path, r.Headers, r.Body, want)
		}
	}
	f(vertex, `{"model":"a", "max_tokens":5,"stream":true,"messages":[]}`,
		`{"max_tokens":5,"stream":true,"messages":[],"anthropic_version":"vertex-2023-10-16"}`)
	f(bedrock, `{"model":"a","max_tokens":5,"stream":true,"messages":[]}`,
		`{"max_tokens":5,"messages":[],"anthropic_version":"bedrock-2023-05-31"}`)
	f(bedrock, `{"model":"a","max_tokens":5}`,
		`{"max_tokens":5,"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-1m-2025-08-07","b"]}`,
		providers.Header{Name: "anthropic-beta", Value: "context-1m-2025-08-07, b"})
	f(bedrock, `{"model":"a","max_tokens":5,"anthropic_beta":["own"],"anthropic_version":"x"}`,
		`{"max_tokens":5,"anthropic_beta":["own"],"anthropic_version":"bedrock-2023-05-31"}`, providers.Header{Name: "anthropic-beta", Value: "b"})
}

// Counting has one path for all models, and keeps the model in the body.
func TestHosted_count(t *testing.T) {
	var doc providers.Document
	if err := doc.Scan([]byte(`{"model":"vertex/claude-x","messages":[]}`), nil); err != nil {
		t.Fatal(err)
	}
	plan, err := Hosted{Version: "vertex-2023-10-16"}.Splice(&providers.Call{Op: providers.OpCountTokens, Doc: &doc, Model: "claude-x"})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(plan.Requests[0].Body); got != `{"model":"claude-x","messages":[],"anthropic_version":"vertex-2023-10-16"}` {
		t.Error(got)
	}
}

// The hub's words come out under the same rules, with the betas that they need.
func TestHosted_hub(t *testing.T) {
	n := int64(16)
	req := &providers.Request{MaxTokens: &n, Turns: []providers.Turn{
		{Role: providers.RoleUser, Blocks: []providers.Block{{Kind: providers.KindText, Text: "hi"}}},
	}}
	plan, err := Hosted{Version: "bedrock-2023-05-31", Bare: true}.WriteRequest(req, &providers.Call{Op: providers.OpChat, Model: "claude-x", Stream: true})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"max_tokens":16,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"anthropic_version":"bedrock-2023-05-31"}`
	if got := string(plan.Requests[0].Body); got != want || plan.MaxOutput != 16 {
		t.Errorf("%s", got)
	}
}
