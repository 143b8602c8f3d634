package gemini_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/providers/providertest"
	"github.com/aistrale/aistrale/providers/responses"
)

func TestGoldenFace(t *testing.T) {
	for _, c := range []struct {
		folder  string
		dialect providers.Dialect
	}{{"anthropic", anthropic.Dialect{}}, {"openai", openai.Dialect{}}, {"responses", responses.Dialect{}}, {"exact", gemini.Dialect{}}} {
		t.Run(c.folder, func(t *testing.T) {
			providertest.GoldenIn(t, filepath.Join("testdata", "faces", c.folder), gemini.Face{}, c.dialect)
		})
	}
}

// An answer is JSON, however small a probability is.
func TestFace_LogprobWithoutEnd(t *testing.T) {
	out, err := providertest.Relay(gemini.Face{}, openai.Dialect{}, &providers.Call{ID: "r"}, []byte(`{"choices":[{"index":0,"message":{"role":"assistant","content":"a"},`+
		`"finish_reason":"stop","logprobs":{"content":[{"token":"a","logprob":-1e400}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := gjson.GetBytes(out, "candidates.0.logprobsResult.chosenCandidates.0.logProbability"); !gjson.ValidBytes(out) || got.Num != -math.MaxFloat64 {
		t.Errorf("%s", out)
	}
}
