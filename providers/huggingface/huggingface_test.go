package huggingface_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/huggingface"
)

func call(t *testing.T, body string) *providers.Call {
	t.Helper()
	doc := new(providers.Document)
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	return &providers.Call{Op: providers.OpEmbeddings, Doc: doc, Asked: "huggingface/a/b", Model: "a/b", Path: "//p"}
}

func TestWrite(t *testing.T) {
	f := func(body, want string, dropped ...string) {
		t.Helper()
		plan, err := huggingface.FeatureExtraction().Write(call(t, body))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if len(plan.Requests) != 1 || string(plan.Requests[0].Body) != want || plan.Requests[0].Path != "//p" {
			t.Errorf("%s: %s", body, plan.Requests[0].Body)
		}
		if !reflect.DeepEqual(plan.Dropped, dropped) {
			t.Errorf("%s: dropped %v", body, plan.Dropped)
		}
	}
	f(`{"model":"m","input":"a \"b\""}`, `{"inputs":["a \"b\""]}`)
	f(`{"input":["a","b"],"normalize":true,"truncate":false,"user":"u"}`, `{"inputs":["a","b"],"normalize":true,"truncate":false}`, "user")
	f(`{"input":"a","prompt_name":"query","truncation_direction":"left"}`, `{"inputs":["a"],"prompt_name":"query","truncation_direction":"left"}`)
	for _, body := range []string{`{"input":[1,2]}`, `{"input":"a","prompt_name":1}`, `{"input":"a","dimensions":64}`, `{"input":"a","normalize":"yes"}`} {
		var fault *providers.Fault
		if _, err := huggingface.FeatureExtraction().Write(call(t, body)); !errors.As(err, &fault) || fault.Kind != providers.FaultInvalid {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestRead(t *testing.T) {
	f := func(body, reply, data string) {
		t.Helper()
		said, err := huggingface.FeatureExtraction().Read(call(t, body), [][]byte{[]byte(reply)})
		if err != nil {
			t.Fatalf("%s: %v", reply, err)
		}
		want := `{"object":"list","data":[` + data + `],"model":"huggingface/a/b","usage":{"prompt_tokens":2,"total_tokens":2}}`
		if string(said.Body) != want {
			t.Errorf("%s:\n got %s\nwant %s", reply, said.Body, want)
		}
		if total := said.Usage.Total(); !said.Usage.Estimated || total.Input() != 2 {
			t.Errorf("usage %+v", said.Usage)
		}
	}
	one := `{"object":"embedding","index":0,"embedding":[1,2]}`
	f(`{"input":"12345678"}`, `[1,2]`, one)
	f(`{"input":"12345678"}`, `[[1,2]]`, one)
	f(`{"input":"12345678"}`, `[[[0,1],[2,3]]]`, one)
	f(`{"input":"12345678"}`, `[[[[0,1],[2,3]]]]`, one)
	f(`{"input":["a","b"]}`, `[[1,2],[[3,4],[5,8]]]`, one+`,{"object":"embedding","index":1,"embedding":[4,6]}`)
	f(`{"input":"12345678","encoding_format":"base64"}`, `[1,2]`, `{"object":"embedding","index":0,"embedding":"AACAPwAAAEA="}`)
}

func TestReadRefuses(t *testing.T) {
	f := func(reply, message string) {
		t.Helper()
		_, err := huggingface.FeatureExtraction().Read(call(t, `{"input":["a","b"]}`), [][]byte{[]byte(reply)})
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != providers.FaultUpstream || !fault.Retryable || fault.Message != message {
			t.Errorf("%s: %v", reply, err)
		}
	}
	const unread = "the upstream's reply cannot be read"
	f(`{"error":"Model a/b is currently loading"}`, "Model a/b is currently loading")
	f(``, unread)
	f(`{}`, unread)
	f(`[[1,2]]`, unread)
	f(`[[1,2],["a"]]`, unread)
	f(`[[1,2],[[1,2],[1]]]`, unread)
	f(`[[1,2],[]]`, unread)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`[[1,2],[[3,4],[5,8]]]`))
	f.Add([]byte(`[[[[[1]]]],1e400]`))
	f.Add([]byte(`{"error":["a"]}`))
	f.Fuzz(func(t *testing.T, reply []byte) {
		said, err := huggingface.FeatureExtraction().Read(call(t, `{"input":["a","b"]}`), [][]byte{reply})
		if (err == nil) != (said.Body != nil) {
			t.Fatalf("%s: %s, %v", reply, said.Body, err)
		}
	})
}
