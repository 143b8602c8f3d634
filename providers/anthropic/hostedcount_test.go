package anthropic_test

import (
	"encoding/base64"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

func TestHosted_count(t *testing.T) {
	hosted := anthropic.Hosted{Version: "bedrock-2023-05-31", Bare: true}
	f := func(body, want string) {
		t.Helper()
		var doc providers.Document
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		plan, err := hosted.Count().Write(&providers.Call{
			Op: providers.OpCountTokens, Doc: &doc, Model: "us.anthropic.claude-haiku-4-5-20251001-v1:0", Path: "/model/m/count-tokens",
			Forwarded: []providers.Header{{Name: "anthropic-beta", Value: "context-1m-2025-08-07"}},
		})
		if err != nil || len(plan.Requests) != 1 {
			t.Fatalf("%+v, %v", plan, err)
		}
		sent, err := base64.StdEncoding.DecodeString(gjson.GetBytes(plan.Requests[0].Body, "input.invokeModel.body").Str)
		if err != nil || string(sent) != want {
			t.Errorf("%v: counted is\n%s\nwant\n%s", err, sent, want)
		}
	}
	f(`{"model":"bedrock/c","messages":[{"role":"user","content":"Say  hi."}],"system":"Be brief."}`,
		`{"messages":[{"role":"user","content":"Say  hi."}],"system":"Be brief.","anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-1m-2025-08-07"],"max_tokens":8192}`)
	f(`{"messages":[],"thinking":{"type":"enabled","budget_tokens":10000},"model":"bedrock/c"}`,
		`{"messages":[],"thinking":{"type":"enabled","budget_tokens":10000},"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["context-1m-2025-08-07"],"max_tokens":18192}`)
}

func TestHosted_countReply(t *testing.T) {
	pair := anthropic.Hosted{}.Count()
	said, err := pair.Read(&providers.Call{}, [][]byte{[]byte(`{"inputTokens": 12}`)})
	if err != nil || string(said.Body) != `{"input_tokens":12}` || said.Usage.Total().Input() != 12 {
		t.Errorf("%s, %+v, %v", said.Body, said.Usage, err)
	}
	for _, reply := range []string{`{"message":"no"}`, `<html>`, ``} {
		if _, err := pair.Read(&providers.Call{}, [][]byte{[]byte(reply)}); err == nil {
			t.Errorf("%q is read as a count", reply)
		}
	}
}
