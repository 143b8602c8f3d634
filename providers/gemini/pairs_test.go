package gemini_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
)

func TestGoldenPair(t *testing.T) {
	providertest.GoldenPair(t, "pairs", openai.Face{}, gemini.Dialect{}, gemini.Embeddings())
}

func TestGoldenPair_cloud(t *testing.T) {
	providertest.GoldenPair(t, "predict", openai.Face{}, gemini.Hosted{}, gemini.Predict())
	providertest.GoldenPair(t, "embedcontent", openai.Face{}, gemini.Hosted{}, gemini.EmbedContent())
}

// One request has as many texts as the API takes, by their number and their size.
func TestPredict_split(t *testing.T) {
	f := func(model string, texts int, size int, want int) {
		t.Helper()
		body := `{"model":"m","input":["` + strings.Repeat(strings.Repeat("x", size)+`","`, texts-1) + strings.Repeat("x", size) + `"]}`
		var doc providers.Document
		if err := doc.Scan([]byte(body), nil); err != nil {
			t.Fatal(err)
		}
		plan, err := gemini.Predict().Write(&providers.Call{Op: providers.OpEmbeddings, Doc: &doc, Model: model})
		if err != nil || len(plan.Requests) != want {
			t.Errorf("%s: %d texts of %d bytes are %d requests, %v, want %d", model, texts, size, len(plan.Requests), err, want)
		}
	}
	f("text-embedding-005", 250, 4, 1)
	f("text-embedding-005", 251, 4, 2)
	f("text-embedding-005", 3, 9_000, 2)
	f("text-embedding-005", 2, 30_000, 2)
	f("gemini-embedding-001", 3, 4, 3)
}

// A count of the cloud's has the conversation itself, and nothing that shapes an answer.
func TestHosted_count(t *testing.T) {
	var doc providers.Document
	const body = `{"model":"m","messages":[{"role":"user","content":"Say hi."}],"max_completion_tokens":16,"service_tier":"flex","tool_choice":"required",
 "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}`
	if err := doc.Scan([]byte(body), nil); err != nil {
		t.Fatal(err)
	}
	req, err := openai.Face{}.ReadRequest(&doc)
	if err != nil {
		t.Fatal(err)
	}
	call := providers.Call{Op: providers.OpCountTokens, Doc: &doc, Model: "gemini-2.5-flash", Path: "/m:countTokens"}
	plan, err := gemini.Hosted{}.WriteRequest(req, &call)
	if err != nil || len(plan.Requests) != 1 || plan.MaxOutput != 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	sent := gjson.ParseBytes(plan.Requests[0].Body)
	var names []string
	sent.ForEach(func(name, _ gjson.Result) bool {
		names = append(names, name.Str)
		return true
	})
	if slices.Sort(names); !slices.Equal(names, []string{"contents", "generationConfig", "tools"}) || plan.Requests[0].Path != "/m:countTokens" {
		t.Errorf("%s is sent %s", plan.Requests[0].Path, sent.Raw)
	}
	call.Op = providers.OpChat
	if plan, err = (gemini.Hosted{}).WriteRequest(req, &call); err != nil || !gjson.GetBytes(plan.Requests[0].Body, "serviceTier").Exists() || plan.MaxOutput != 16 {
		t.Errorf("%+v, %v", plan, err)
	}
}
