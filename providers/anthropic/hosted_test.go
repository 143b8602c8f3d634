package anthropic

import (
	"bytes"
	"strings"
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

// What is not the host's own business stays byte by byte, however long it is, and a long document
// is not copied.
func TestHosted_Splice(t *testing.T) {
	t.Parallel()
	vertex := Hosted{Version: "vertex-2023-10-16"}
	bedrock := Hosted{Version: "bedrock-2023-05-31", Bare: true}
	long := strings.Repeat(`a \"word\" `, 10_000)
	for name, c := range map[string]struct {
		dialect  Hosted
		op       providers.Op
		beta     string
		quirks   providers.Quirks
		in, want string
	}{
		"vertex": {
			dialect: vertex, beta: "context-1m-2025-08-07",
			in:   `{"model":"m", "stream" : true,"max_tokens":9,"messages":[TEXT]}`,
			want: `{"stream" : true,"max_tokens":9,"messages":[TEXT],"anthropic_version":"vertex-2023-10-16"}`,
		},
		"the client's own version": {
			dialect: vertex,
			in:      `{"anthropic_version":"x","messages":[TEXT],"max_tokens":9,"model":"m"}`,
			want:    `{"anthropic_version":"vertex-2023-10-16","messages":[TEXT],"max_tokens":9}`,
		},
		"a count": {
			dialect: vertex, op: providers.OpCountTokens,
			in:   `{"model":"m","messages":[TEXT]}`,
			want: `{"model":"upstream","messages":[TEXT],"anthropic_version":"vertex-2023-10-16"}`,
		},
		"bedrock": {
			dialect: bedrock, beta: "a, b",
			in:   `{"stream":true,"model":"m","max_tokens":9,"messages":[TEXT]}`,
			want: `{"max_tokens":9,"messages":[TEXT],"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a","b"]}`,
		},
		"betas in the body": {
			dialect: bedrock, beta: "a",
			in:   `{"anthropic_beta":["c"],"model":"m","max_tokens":9,"messages":[TEXT]}`,
			want: `{"anthropic_beta":["c"],"max_tokens":9,"messages":[TEXT],"anthropic_version":"bedrock-2023-05-31"}`,
		},
		"betas in a body of which they are stripped": {
			dialect: bedrock, beta: "a", quirks: providers.Quirks{Strip: []string{"anthropic_beta"}},
			in:   `{"anthropic_beta":["c"],"model":"m","max_tokens":9,"messages":[TEXT]}`,
			want: `{"anthropic_beta":["a"],"max_tokens":9,"messages":[TEXT],"anthropic_version":"bedrock-2023-05-31"}`,
		},
		"a field that is stripped": {
			dialect: bedrock, quirks: providers.Quirks{Strip: []string{"stream", "top_k"}},
			in:   `{"top_k":1,"stream":false,"model":"m","max_tokens":9,"messages":[TEXT]}`,
			want: `{"max_tokens":9,"messages":[TEXT],"anthropic_version":"bedrock-2023-05-31"}`,
		},
	} {
		for _, text := range []string{"hi", long} {
			content := func(s string) string { return strings.ReplaceAll(s, "TEXT", `{"role":"user","content":"`+text+`"}`) }
			doc := &providers.Document{}
			if err := doc.Scan([]byte(content(c.in)), nil); err != nil {
				t.Fatal(err)
			}
			call := providers.Call{Op: c.op, Model: "upstream", Doc: doc, Quirks: c.quirks}
			if call.Op == 0 {
				call.Op = providers.OpChat
			}
			if c.beta != "" {
				call.Forwarded = []providers.Header{{Name: "anthropic-beta", Value: c.beta}}
			}
			plan, err := c.dialect.Splice(&call)
			if err != nil {
				t.Fatal(err)
			}
			r := &plan.Requests[0]
			if parts := len(r.Rest); (parts > 0) != (len(text) > 64<<10) {
				t.Errorf("%s, %d bytes: %d parts", name, len(text), parts)
			}
			var sent bytes.Buffer
			if err := r.WriteBody(&sent); err != nil || sent.String() != content(c.want) {
				t.Errorf("%s, %d bytes: %v\n%.300s\nwant\n%.300s", name, len(text), err, sent.String(), content(c.want))
			}
			if len(r.Headers) > 0 {
				t.Errorf("%s: headers %v", name, r.Headers)
			}
		}
	}
}
