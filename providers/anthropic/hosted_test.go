package anthropic_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

// What is not the host's own business stays byte by byte, however long it is, and a long document
// is not copied.
func TestHosted_Splice(t *testing.T) {
	t.Parallel()
	vertex := anthropic.Hosted{Version: "vertex-2023-10-16"}
	bedrock := anthropic.Hosted{Version: "bedrock-2023-05-31", Bare: true}
	long := strings.Repeat(`a \"word\" `, 10_000)
	for name, c := range map[string]struct {
		dialect  anthropic.Hosted
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
