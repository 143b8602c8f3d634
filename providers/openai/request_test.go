package openai_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func scan(t testing.TB, body string) *providers.Document {
	t.Helper()
	var doc providers.Document
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	return &doc
}

// A request said in the language and read again is the same request.
func TestRequestRoundTrip(t *testing.T) {
	for i, want := range providertest.Requests(7, 300) {
		call := providers.Call{Op: providers.OpChat, Model: "m", Stream: i%2 == 0}
		plan, err := openai.Dialect{}.WriteRequest(want, &call)
		if err != nil {
			t.Fatal(err)
		}
		body := string(plan.Requests[0].Body)
		got, err := openai.Face{}.ReadRequest(scan(t, body))
		if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("read back differently:\n%s\ngot:  %+v\nwant: %+v", body, got, want)
		}
		again, _ := openai.Dialect{}.WriteRequest(want, &call)
		if string(again.Requests[0].Body) != body {
			t.Fatalf("equal requests gave different bytes:\n%s\n%s", body, again.Requests[0].Body)
		}
	}
}

func TestReadRequestRefuses(t *testing.T) {
	f := func(body, param string) {
		t.Helper()
		_, err := openai.Face{}.ReadRequest(scan(t, body))
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != providers.FaultInvalid || fault.Param != param {
			t.Errorf("%s: got %#v, want a 400 at %q", body, err, param)
		}
	}
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	f(`{}`, "messages")
	f(`{"messages":null}`, "messages")
	f(`{"messages":[]}`, "messages")
	f(`{"messages":"hi"}`, "messages")
	f(`{"messages":[5]}`, "messages[0]")
	f(`{"messages":[{"content":"hi"}]}`, "messages[0].role")
	f(`{"messages":[{"role":"robot","content":"hi"}]}`, "messages[0].role")
	f(`{"messages":[{"role":"user"}]}`, "messages[0].content")
	f(`{"messages":[{"role":"user","content":{}}]}`, "messages[0].content")
	f(`{"messages":[{"role":"user","content":[{"type":"text","text":1}]}]}`, "messages[0].content[0].text")
	f(`{"messages":[{"role":"user","content":[{"text":"a"}]}]}`, "messages[0].content[0].type")
	f(`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}`, "messages[0].content[0].image_url.url")
	f(`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":null}]}]}`, "messages[0].content[0].image_url.url")
	f(`{"messages":[{"role":"user","content":[{"type":"file","file":{}}]}]}`, "messages[0].content[0].file.file_data")
	f(`{"messages":[{"role":"user","content":[{"type":"input_audio"}]}]}`, "messages[0].content[0].input_audio.data")
	f(`{"messages":[{"role":"user","content":"a","content":"b"}]}`, "messages[0].content")
	f(`{"messages":[{"role":"tool","content":"a"}]}`, "messages[0].tool_call_id")
	f(`{"messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}`, "messages[0].tool_calls[0].function")
	f(`{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"arguments":{}}}]}]}`, "messages[0].tool_calls[0].function.arguments")
	f(`{`+hi+`,"n":0}`, "n")
	f(`{`+hi+`,"n":1.5}`, "n")
	f(`{`+hi+`,"max_tokens":"5"}`, "max_tokens")
	f(`{`+hi+`,"temperature":"hot"}`, "temperature")
	f(`{`+hi+`,"stop":5}`, "stop")
	f(`{`+hi+`,"stop":["a",5]}`, "stop[1]")
	f(`{`+hi+`,"tools":{}}`, "tools")
	f(`{`+hi+`,"tools":[{"type":"function"}]}`, "tools[0].function")
	f(`{`+hi+`,"tools":[{"type":"function","function":{}}]}`, "tools[0].function.name")
	f(`{`+hi+`,"tool_choice":"sometimes"}`, "tool_choice")
	f(`{`+hi+`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"x"}}}`, "tool_choice.allowed_tools.mode")
	f(`{`+hi+`,"function_call":5}`, "function_call")
	f(`{`+hi+`,"response_format":{"type":"xml"}}`, "response_format.type")
	f(`{`+hi+`,"response_format":{"type":"json_schema"}}`, "response_format.json_schema")
	f(`{`+hi+`,"metadata":{"a":1}}`, "metadata.a")
	f(`{`+hi+`,"reasoning":{"effort":1}}`, "reasoning.effort")
	f(`{`+hi+`,"thinking":true}`, "thinking")
	f(`{`+hi+`,"extra_body":[]}`, "extra_body")
	f(`{`+hi+`,"user":1}`, "user")
}

// A number that is not taken is told from one of another type.
func TestReadRequest_Numbers(t *testing.T) {
	for field, want := range map[string]string{
		`"temperature":1e400`:         "Invalid 'temperature': the number is out of range.",
		`"temperature":"1"`:           "Invalid type for 'temperature': expected a number, but got a string instead.",
		`"seed":12345678901234567890`: "Invalid 'seed': the number is out of range.",
		`"seed":-1e30`:                "Invalid 'seed': the number is out of range.",
		`"seed":1e400`:                "Invalid 'seed': the number is out of range.",
		`"seed":1.5`:                  "Invalid type for 'seed': expected an integer, but got a decimal number instead.",
		`"seed":true`:                 "Invalid type for 'seed': expected an integer, but got a boolean instead.",
		`"max_tokens":1e2`:            "",
		`"seed":-9007199254740993`:    "",
	} {
		_, err := openai.Face{}.ReadRequest(scan(t, `{"messages":[{"role":"user","content":"hi"}],`+field+`}`))
		var fault *providers.Fault
		if errors.As(err, &fault) != (want != "") || want != "" && fault.Message != want {
			t.Errorf("%s: %v, want %q", field, err, want)
		}
	}
}

func TestExtrasHaveOwners(t *testing.T) {
	req, err := openai.Face{}.ReadRequest(scan(t, `{"messages":[{"role":"user","content":"hi"}],"logit_bias":{"1":2},"thinking":{"type":"enabled","budget_tokens":2000},
		"min_p":0.1,"safety_settings":[],"extra_body":{"google":{"thinking_config":{"a":1}},"anthropic":{"speed":"fast"},"x":1},"store":null,"top_k":3}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []providers.Extra{
		{Owner: "openai", Name: "logit_bias", Value: []byte(`{"1":2}`)},
		{Owner: "anthropic", Name: "thinking", Value: []byte(`{"type":"enabled","budget_tokens":2000}`)},
		{Owner: "", Name: "min_p", Value: []byte(`0.1`)},
		{Owner: "gemini", Name: "safety_settings", Value: []byte(`[]`)},
		{Owner: "gemini", Name: "extra_body.google.thinking_config", Value: []byte(`{"a":1}`)},
		{Owner: "anthropic", Name: "extra_body.anthropic.speed", Value: []byte(`"fast"`)},
		{Owner: "", Name: "extra_body.x", Value: []byte(`1`)},
	}
	if !reflect.DeepEqual(req.Extras, want) {
		t.Errorf("got %+v", req.Extras)
	}
	if req.Reasoning.Budget == nil || *req.Reasoning.Budget != 2000 || req.Sampling.TopK == nil || *req.Sampling.TopK != 3 {
		t.Errorf("reasoning %+v, sampling %+v", req.Reasoning, req.Sampling)
	}
}

// An extra of a nested place must not come out at the top, where it was never judged.
func TestExtrasAreNotRaised(t *testing.T) {
	req, err := openai.Face{}.ReadRequest(scan(t, `{"messages":[{"role":"user","content":"hi"}],"extra_body":{"openai":{"models":["x"]},"models":["y"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := openai.Dialect{}.WriteRequest(req, &providers.Call{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(plan.Requests[0].Body); got != `{"model":"m","messages":[{"role":"user","content":"hi"}]}` {
		t.Error(got)
	}
	if want := []string{"extra_body.openai.models", "extra_body.models"}; !reflect.DeepEqual(plan.Dropped, want) {
		t.Errorf("dropped %q", plan.Dropped)
	}
}
