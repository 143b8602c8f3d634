package bedrock_test

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/bedrock"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestCount(t *testing.T) {
	var doc providers.Document
	const body = `{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Say hi."}],"max_completion_tokens":16,"service_tier":"priority",
 "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}`
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	req, err := openai.Face{}.ReadRequest(&doc)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := bedrock.Dialect{}.WriteRequest(req, &providers.Call{Op: providers.OpCountTokens, Doc: &doc, Model: "m", Path: "/model/m/count-tokens"})
	const want = `{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"Say hi."}]}],"system":[{"text":"Be brief."}],` +
		`"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}}}}`
	if err != nil || len(plan.Requests) != 1 || string(plan.Requests[0].Body) != want || plan.MaxOutput != 0 {
		t.Errorf("%+v, %v is sent\n%s\nwant\n%s", plan, err, plan.Requests[0].Body, want)
	}
}

// A count is one usage event and the end, and anything else a fault, once.
func TestCount_reply(t *testing.T) {
	f := func(frames []string, want int64) {
		t.Helper()
		d := bedrock.Dialect{}.ReadReply(&providers.Call{Op: providers.OpCountTokens})
		var events []providers.Event
		for _, frame := range frames {
			events = d.Decode(events, []byte(frame))
		}
		events = d.Close(events)
		switch {
		case want < 0 && (len(events) != 1 || events[0].Kind != providers.EventFault):
			t.Errorf("%q: %+v", frames, events)
		case want >= 0 && (len(events) != 2 || events[1].Kind != providers.EventEnd || events[0].Usage.Total().Input() != want):
			t.Errorf("%q: %+v", frames, events)
		}
	}
	f([]string{`{"inputTokens":7}`}, 7)
	f([]string{`{"inputTokens":7}`, `{"inputTokens":9}`}, 7)
	f([]string{`{"message":"no"}`}, -1)
	f([]string{`<html>`}, -1)
	f(nil, -1)
}
