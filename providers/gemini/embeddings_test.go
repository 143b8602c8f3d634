package gemini_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
)

func embedCall(t *testing.T, model, body string) *providers.Call {
	t.Helper()
	doc := new(providers.Document)
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	return &providers.Call{Op: providers.OpEmbeddings, Doc: doc, Asked: "gemini/" + model, Model: model, Path: "/models/m:batchEmbedContents"}
}

func TestWriteEmbeddings(t *testing.T) {
	f := func(model, body, want string, dropped ...string) {
		t.Helper()
		plan, err := gemini.Embeddings().Write(embedCall(t, model, body))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if len(plan.Requests) != 1 || string(plan.Requests[0].Body) != want {
			t.Errorf("%s:\n got %s\nwant %s", body, plan.Requests[0].Body, want)
		}
		if !reflect.DeepEqual(plan.Dropped, dropped) {
			t.Errorf("%s: dropped %v", body, plan.Dropped)
		}
	}
	f("gemini-embedding-001", `{"input":"hi","user":"u"}`,
		`{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"hi"}]}}]}`, "user")
	f("gemini-embedding-001", `{"input":["a","b"],"dimensions":256,"input_type":"search_query","encoding_format":"base64"}`,
		`{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":256},`+
			`{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"b"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":256}]}`)
	f("gemini-embedding-001", `{"input":"a","input_type":"document","title":"T"}`,
		`{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_DOCUMENT","title":"T"}]}`)
	f("gemini-embedding-001", `{"input":"a","title":"T"}`,
		`{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]}}]}`, "title")
	f("gemini-embedding-2", `{"input":"a","input_type":"document"}`,
		`{"requests":[{"model":"models/gemini-embedding-2","content":{"parts":[{"text":"a"}]}}]}`, "input_type")
	var fault *providers.Fault
	if _, err := gemini.Embeddings().Write(embedCall(t, "m", `{"input":[1,2]}`)); !errors.As(err, &fault) || fault.Kind != providers.FaultInvalid {
		t.Errorf("token arrays: %v", err)
	}
}

// 250 texts go out as 100, 100 and 50, and come back in their order.
func TestEmbeddingsSplit(t *testing.T) {
	var texts []string
	for i := range 250 {
		texts = append(texts, fmt.Sprintf(`"t%d"`, i))
	}
	call := embedCall(t, "gemini-embedding-2", `{"input":[`+strings.Join(texts, ",")+`]}`)
	plan, err := gemini.Embeddings().Write(call)
	if err != nil {
		t.Fatal(err)
	}
	var replies [][]byte
	for _, r := range plan.Requests {
		var values []string
		for _, q := range gjson.GetBytes(r.Body, "requests").Array() {
			values = append(values, `{"values":[`+q.Get("content.parts.0.text").Str[1:]+`]}`)
		}
		replies = append(replies, []byte(`{"embeddings":[`+strings.Join(values, ",")+`],"usageMetadata":{"promptTokenCount":10}}`))
	}
	if len(replies) != 3 {
		t.Fatalf("%d requests", len(replies))
	}
	said, err := gemini.Embeddings().Read(call, replies)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range gjson.GetBytes(said.Body, "data").Array() {
		if e.Get("index").Int() != int64(i) || e.Get("embedding.0").Int() != int64(i) {
			t.Fatalf("text %d came back as %s", i, e.Raw)
		}
	}
	if total := said.Usage.Total(); total.Input() != 30 || said.Usage.Estimated || gjson.GetBytes(said.Body, "usage.total_tokens").Int() != 30 {
		t.Errorf("usage %+v", said.Usage)
	}
	if _, err := gemini.Embeddings().Read(call, replies[:2]); err == nil {
		t.Error("a missing batch was not noticed")
	}
}

func TestEmbeddingsNormalised(t *testing.T) {
	f := func(model, ask string, want []float64) {
		t.Helper()
		said, err := gemini.Embeddings().Read(embedCall(t, model, ask), [][]byte{[]byte(`{"embeddings":[{"values":[3,4]}]}`)})
		if err != nil {
			t.Fatal(err)
		}
		if !said.Usage.Estimated {
			t.Error("the API counted nothing, but the usage is not marked as estimated")
		}
		for i, x := range gjson.GetBytes(said.Body, "data.0.embedding").Array() {
			if math.Abs(x.Num-want[i]) > 1e-9 {
				t.Errorf("%s: %s", ask, said.Body)
			}
		}
	}
	f("gemini-embedding-001", `{"input":"a","dimensions":2}`, []float64{0.6, 0.8})
	f("gemini-embedding-001", `{"input":"a"}`, []float64{3, 4})
	f("gemini-embedding-2", `{"input":"a","dimensions":2}`, []float64{3, 4})
}

func TestEmbeddingsRefused(t *testing.T) {
	for _, reply := range []string{``, `{}`, `{"embeddings":[{}]}`, `{"embeddings":[{"values":["a"]}]}`, `{"embeddings":[{"values":[1]},{"values":[1]}]}`} {
		var fault *providers.Fault
		_, err := gemini.Embeddings().Read(embedCall(t, "m", `{"input":"a"}`), [][]byte{[]byte(reply)})
		if !errors.As(err, &fault) || fault.Kind != providers.FaultUpstream {
			t.Errorf("%s: %v", reply, err)
		}
	}
}
