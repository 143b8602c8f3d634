package catalog_test

import (
	"bytes"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
)

// Completions and embeddings run on the exact path only: what counts is what Observe sees.
func TestCorpus_exactReplies(t *testing.T) {
	folder, seen := corpusFolder(t), map[string]int{}
	for _, name := range []string{"openai", "huggingface", "azure", otherVendors} {
		eachRecord(t, folder, name, func(r *record) {
			exact := r.Kind == "completions" || r.Kind == "embeddings" && r.Body[0] == '{'
			if exact && r.Status == 200 {
				seen[r.Kind]++
				checkExact(t, r)
			}
		})
	}
	if seen["completions"] < 30 || seen["embeddings"] < 20 {
		t.Errorf("only %v replies", seen)
	}
}

func checkExact(t *testing.T, r *record) {
	t.Helper()
	body, stream := r.wire(t)
	frames := []string{string(body)}
	if stream {
		frames = framesOf(t, bytes.NewReader(body))
	}
	var usage providers.Usage
	var want *toldUsage
	for _, frame := range frames {
		o := parse(frame)
		got := openai.Dialect{}.Observe([]byte(frame))
		if got.HasUsage {
			usage.Merge(got.Usage)
		}
		if u := sub(o["usage"]); u != nil {
			want = openaiUsage(u)
		}
		text, reason := "", ""
		for _, c := range list(o["choices"]) {
			text += str(sub(c)["text"])
			message := sub(first(sub(c), "message", "delta")) // Mistral's agents and its fill in the middle
			text += str(message["content"])
			for _, call := range openaiCalls(message) {
				text += str(sub(sub(call)["function"])["arguments"])
			}
			reason += str(sub(c)["finish_reason"])
		}
		if (text != "") != (got.Content > 0) && r.Kind == "completions" {
			t.Errorf("%s: content %d of %s", r.ID, got.Content, brief(text))
		}
		if (reason != "") != (got.Finish != "") {
			t.Errorf("%s: finish %q, want %q", r.ID, got.Finish, reason)
		}
		if got.End != (frame == "[DONE]") || got.Fault != nil {
			t.Errorf("%s: end %v, fault %v in %s", r.ID, got.End, got.Fault, brief(frame))
		}
	}
	total := usage.Total()
	if heard := (toldUsage{total.Input(), total.Output, total.CacheRead, total.Reasoning}); want != nil && heard != *want {
		t.Errorf("%s: usage %+v, want %+v", r.ID, heard, *want)
	}
}

// Gemini's embeddings come out in OpenAI's form: every vector, in order, as it was.
func TestCorpus_embeddings(t *testing.T) {
	read := 0
	eachRecord(t, corpusFolder(t), "gemini", func(r *record) {
		vectors := list(parse(string(r.Body))["embeddings"])
		if r.Kind != "embeddings" || r.Status != 200 || len(vectors) == 0 {
			return
		}
		read++
		inputs := make([]string, len(vectors))
		for i := range inputs {
			inputs[i] = "text"
		}
		var doc providers.Document
		if err := doc.Scan([]byte(`{"model":"m","input":`+text(inputs)+`}`), nil); err != nil {
			t.Fatal(err)
		}
		call := r.call(false)
		call.Op, call.Doc = providers.OpEmbeddings, &doc
		said, err := gemini.Embeddings().Read(call, [][]byte{r.Body})
		if err != nil {
			t.Errorf("%s: %v", r.ID, err)
			return
		}
		o := parse(string(said.Body))
		if data := list(o["data"]); len(data) != len(vectors) || o["model"] != call.Asked || o["usage"] == nil || said.Usage.Total().Input() == 0 {
			t.Errorf("%s: %d vectors, heard %s", r.ID, len(vectors), brief(string(said.Body)))
			return
		}
		for i, v := range list(o["data"]) {
			got, want := text(sub(v)["embedding"]), text(sub(vectors[i])["values"])
			if got != want || count(sub(v)["index"]) != int64(i) {
				t.Errorf("%s: vector %d is %s, want %s", r.ID, i, brief(got), brief(want))
			}
		}
	})
	if read < 10 {
		t.Errorf("only %d replies", read)
	}
}
