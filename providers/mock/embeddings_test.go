package mock

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func TestEmbeddings(t *testing.T) {
	r := newRig(t)
	path := OpenAIPath + "/embeddings"
	got := r.ok(path, "input=9", `{"model":"embedding","input":["one","two","one"],"dimensions":5}`)
	vectors := got.Get("data.#.embedding").Array()
	if got.Get("object").Str != "list" || len(vectors) != 3 || got.Get("data.2.index").Int() != 2 || got.Get("usage.total_tokens").Int() != 9 {
		t.Fatalf("%s", got.Raw)
	}
	if vectors[0].Raw != vectors[2].Raw || vectors[0].Raw == vectors[1].Raw {
		t.Errorf("equal texts have equal vectors: %s", got.Raw)
	}
	norm := 0.0
	for _, x := range vectors[0].Array() {
		norm += x.Num * x.Num
	}
	if n := len(vectors[0].Array()); n != 5 || math.Abs(norm-1) > 1e-5 {
		t.Errorf("%d dimensions of norm %v", n, norm)
	}
	encoded := r.ok(path, "", `{"model":"embedding","input":"one","dimensions":5,"encoding_format":"base64"}`).Get("data.0.embedding").Str
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) != 20 {
		t.Fatalf("base64 %q: %v", encoded, err)
	}
	for i, x := range vectors[0].Array() {
		if f := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])); f != float32(x.Num) {
			t.Errorf("dimension %d is %v and %v", i, f, x.Num)
		}
	}
	f := func(body string, status int, param string) {
		t.Helper()
		if bad := r.post(path, "", body); bad.status != status || gjson.Get(bad.body, "error.param").String() != param {
			t.Errorf("%s: %d %s", body, bad.status, bad.body)
		}
	}
	f(`{"model":"embedding","input":[1,2,3]}`, 200, "")
	f(`{"model":"embedding","input":[[1,2],[3]]}`, 200, "")
	f(`{"model":"embedding","input":""}`, 400, "input")
	f(`{"model":"embedding","input":[]}`, 400, "input")
	f(`{"model":"embedding","input":["a",""]}`, 400, "input")
	f(`{"model":"embedding"}`, 400, "input")
	f(`{"model":"embedding","input":"a","dimensions":0}`, 400, "dimensions")
	f(`{"model":"embedding","input":"a","dimensions":9000}`, 400, "dimensions")
	f(`{"model":"embedding","input":"a","encoding_format":"hex"}`, 400, "encoding_format")
	f(`{"model":"missing","input":"a"}`, 404, "")
	if lines := r.server.Bill(); len(lines) != 1 || lines[0].Calls != 4 || lines[0].Output != 0 || lines[0].Input == 0 {
		t.Errorf("bill %+v", lines)
	}
}

func TestBatch(t *testing.T) {
	r := newRig(t)
	path := GeminiPath + "/models/embedding:batchEmbedContents"
	one := func(text string) string {
		return `{"model":"models/embedding","content":{"parts":[{"text":"` + text + `"}]},"outputDimensionality":4}`
	}
	got := r.ok(path, "", `{"requests":[`+one("a")+`,`+one("b")+`]}`)
	if got.Get("embeddings.#").Int() != 2 || got.Get("embeddings.1.values.#").Int() != 4 || got.Get("embeddings.0.values").Raw == got.Get("embeddings.1.values").Raw {
		t.Errorf("%s", got.Raw)
	}
	f := func(body, message string) {
		t.Helper()
		if bad := r.post(path, "", body); bad.status != 400 || !strings.Contains(gjson.Get(bad.body, "error.message").Str, message) {
			t.Errorf("%s: %d %s", body, bad.status, bad.body)
		}
	}
	f(`{"requests":[]}`, "requests is not specified")
	f(`{"requests":[`+strings.Repeat(one("a")+",", 100)+one("a")+`]}`, "at most 100")
	f(`{"requests":[{"model":"models/other","content":{"parts":[{"text":"a"}]}}]}`, "must match the model")
	f(`{"requests":[{"model":"models/embedding","content":{"parts":[]}}]}`, "must not be empty")
}

func TestEmbed(t *testing.T) {
	r := newRig(t)
	got := r.ok(GeminiPath+"/models/gemini:embedContent", "", `{"model":"models/gemini","content":{"parts":[{"text":"a"}]},"outputDimensionality":3}`)
	batch := r.ok(GeminiPath+"/models/gemini:batchEmbedContents", "", `{"requests":[{"model":"models/gemini","content":{"parts":[{"text":"a"}]},"outputDimensionality":3}]}`)
	if v := got.Get("embedding.values"); len(v.Array()) != 3 || v.Raw != batch.Get("embeddings.0.values").Raw {
		t.Errorf("%s, in a batch %s", got.Raw, batch.Raw)
	}
	if got := r.post(GeminiPath+"/models/gemini:embedContent", "", `{"model":"models/other","content":{"parts":[{"text":"a"}]}}`); got.status != 400 {
		t.Errorf("of another model: %d %s", got.status, got.body)
	}
}
