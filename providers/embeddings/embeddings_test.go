package embeddings_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/embeddings"
)

func scan(t *testing.T, body string) *providers.Document {
	t.Helper()
	var doc providers.Document
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	return &doc
}

func TestRead(t *testing.T) {
	f := func(body string, want embeddings.Request) {
		t.Helper()
		got, err := embeddings.Read(scan(t, body))
		if err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	f(`{"input":"a\n\u00e9"}`, embeddings.Request{Inputs: []string{"a\né"}})
	f(`{"input":["a","b"],"dimensions":256,"encoding_format":"base64","input_type":"query"}`,
		embeddings.Request{Inputs: []string{"a", "b"}, Dimensions: 256, Base64: true, InputType: "query"})
	f(`{"input":"a","dimensions":null,"encoding_format":null}`, embeddings.Request{Inputs: []string{"a"}})
}

func TestReadRefuses(t *testing.T) {
	f := func(body, param string) {
		t.Helper()
		_, err := embeddings.Read(scan(t, body))
		var fault *providers.Fault
		if !errors.As(err, &fault) || fault.Kind != providers.FaultInvalid || fault.Param != param {
			t.Errorf("%.60s: %v", body, err)
		}
	}
	f(`{}`, "input")
	f(`{"input":null}`, "input")
	f(`{"input":7}`, "input")
	f(`{"input":[]}`, "input")
	f(`{"input":[1,2,3]}`, "input")
	f(`{"input":[[1,2],[3]]}`, "input")
	f(`{"input":["a",null]}`, "input[1]")
	f(`{"input":["a"`+strings.Repeat(`,"a"`, embeddings.MaxInputs)+`]}`, "input")
	f(`{"input":"a","dimensions":0}`, "dimensions")
	f(`{"input":"a","dimensions":"x"}`, "dimensions")
	f(`{"input":"a","encoding_format":"int8"}`, "encoding_format")
	f(`{"input":"a","input_type":{}}`, "input_type")
}

func TestAppend(t *testing.T) {
	vectors := [][]float64{{0.5, -0.25, 4.623822e-05}, {1, 0, -1e-20}}
	usage := embeddings.Estimate([]string{"abcde", ""})
	plain := (&embeddings.Request{}).Append(nil, `m"x`, vectors, &usage)
	want := `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25,4.623822e-05]},` +
		`{"object":"embedding","index":1,"embedding":[1,0,-1e-20]}],"model":"m\"x","usage":{"prompt_tokens":3,"total_tokens":3}}`
	if string(plain) != want {
		t.Errorf("got  %s\nwant %s", plain, want)
	}
	packed := (&embeddings.Request{Base64: true}).Append(nil, "m", vectors, &usage)
	for i, vector := range vectors {
		raw, err := base64.StdEncoding.DecodeString(gjson.GetBytes(packed, "data").Array()[i].Get("embedding").Str)
		if err != nil || len(raw) != 4*len(vector) {
			t.Fatalf("vector %d: %d bytes, %v", i, len(raw), err)
		}
		for j, x := range vector {
			if got := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*j:])); got != float32(x) {
				t.Errorf("vector %d[%d] = %v, want %v", i, j, got, x)
			}
		}
	}
}

func TestDropped(t *testing.T) {
	doc := scan(t, `{"model":"m","input":"a","user":"u","input_type":"query","title":null,"x":1}`)
	if got := embeddings.Dropped(doc, "input_type"); !reflect.DeepEqual(got, []string{"user", "x"}) {
		t.Errorf("dropped %v", got)
	}
}

func TestNumbers(t *testing.T) {
	f := func(raw string, want []float64) {
		t.Helper()
		got, ok := embeddings.Numbers(gjson.Parse(raw))
		if ok != (want != nil) || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", raw, got, ok)
		}
	}
	f(`[1,-2.5]`, []float64{1, -2.5})
	f(`[]`, nil)
	f(`["1"]`, nil)
	f(`[[1]]`, nil)
	f(`{"a":1}`, nil)
	f(`[1e999]`, nil)
}
