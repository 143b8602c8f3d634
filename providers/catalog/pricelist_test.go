package catalog

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

// read reads a list and gives the prices as JSON, one a line, without ids.
func read(t *testing.T, text string) (list *PriceList, prices string) {
	t.Helper()
	list, err := ReadPriceList([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list.Prices {
		line, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		prices += string(line) + "\n"
	}
	return list, prices
}

func TestReadPriceList_litellm(t *testing.T) {
	f := func(model, want string) {
		t.Helper()
		_, got := read(t, `{"sample_spec":{"litellm_provider":"one of"},`+model+`}`)
		if got = strings.TrimSpace(got); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", model, got, want)
		}
	}
	f(`"claude-x-20250929":{"litellm_provider":"anthropic","input_cost_per_token":3e-06,"output_cost_per_token":1.5e-05,"cache_read_input_token_cost":3e-07,
		"cache_creation_input_token_cost":3.75e-06,"cache_creation_input_token_cost_above_1hr":6e-06,
		"input_cost_per_token_above_200k_tokens":6e-06,"output_cost_per_token_above_200k_tokens":2.25e-05,
		"cache_creation_input_token_cost_above_1hr_above_200k_tokens":1.2e-05,
		"search_context_cost_per_query":{"search_context_size_low":0.01,"search_context_size_high":0.02},"max_tokens":5}`,
		`{"provider":"anthropic","model":"claude-x-20250929","from":"2025-09-29","rates":[{"input":3,"cache_read":0.3,"cache_write_5m":3.75,"cache_write_1h":6,"output":15,"search":0.02},`+
			`{"over":200000,"input":6,"cache_write_1h":12,"output":22.5,"search":0.02}],"source":"litellm"}`)
	f(`"gpt-x":{"litellm_provider":"openai","input_cost_per_token":1e-06,"output_cost_per_token":2e-06,"input_cost_per_token_flex":5e-07,"output_cost_per_token_flex":1e-06,
		"input_cost_per_token_batches":5e-07,"output_cost_per_token_batches":1e-06,"input_cost_per_token_above_200k_tokens_priority":4e-06,"output_cost_per_token_above_200k_tokens_priority":8e-06,
		"regional_processing_uplift_multiplier_eu":1.1,"output_cost_per_reasoning_token":2e-06,"cache_read_input_token_cost":0.0}`,
		`{"provider":"openai","model":"gpt-x","rates":[{"input":1,"output":2},{"tier":"batch","input":0.5,"output":1},{"tier":"flex","input":0.5,"output":1},`+
			`{"tier":"priority","over":200000,"input":4,"output":8}],"regions":{"eu":1.1},"source":"litellm"}`)
	f(`"claude-f":{"litellm_provider":"anthropic","input_cost_per_token":5e-06,"output_cost_per_token":2.5e-05,"provider_specific_entry":{"fast":6.0,"us":1.1}}`,
		`{"provider":"anthropic","model":"claude-f","rates":[{"input":5,"output":25},{"tier":"fast","input":30,"output":150}],"regions":{"us":1.1},"source":"litellm"}`)
	f(`"groq/openai/gpt-oss-20b":{"litellm_provider":"groq","input_cost_per_token":7.5e-08,"output_cost_per_token":3e-07}`,
		`{"provider":"groq","model":"openai/gpt-oss-20b","rates":[{"input":0.075,"output":0.3}],"source":"litellm"}`)
	f(`"gemini-y":{"litellm_provider":"vertex_ai-language-models","input_cost_per_token":9e-06,"output_cost_per_token":9e-06},
		"gemini/gemini-y":{"litellm_provider":"gemini","input_cost_per_token":1e-06,"output_cost_per_token":2e-06}`,
		`{"provider":"gemini","model":"gemini-y","rates":[{"input":1,"output":2}],"source":"litellm"}`)
	f(`"gemini-embedding-9":{"litellm_provider":"vertex_ai-embedding-models","input_cost_per_token":2e-07,"output_cost_per_token":0,"input_cost_per_image":0.0001}`,
		`{"provider":"gemini","model":"gemini-embedding-9","rates":[{"input":0.2,"output":0}],"source":"litellm"}`)
	f(`"whisper-x":{"litellm_provider":"openai","mode":"audio_transcription","input_cost_per_second":0.0002833333333333333,"output_cost_per_second":0.0001}`,
		`{"provider":"openai","model":"whisper-x","rates":[{"hour_in":1.02}],"source":"litellm"}`)
	f(`"speech-x":{"litellm_provider":"openai","mode":"audio_speech","input_cost_per_character":1.5e-05}`,
		`{"provider":"openai","model":"speech-x","rates":[{"character":0.000015}],"source":"litellm"}`)
	f(`"speech-y":{"litellm_provider":"openai","mode":"audio_speech","input_cost_per_token":2.5e-06,"output_cost_per_token":1e-05,"output_cost_per_audio_token":1.2e-05,"output_cost_per_second":0.00025}`,
		`{"provider":"openai","model":"speech-y","rates":[{"input":2.5,"output":10,"audio_out":12,"hour_out":0.9}],"source":"litellm"}`)
	f(`"by-the-hour":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1e-06,"output_cost_per_token":2e-06,"input_cost_per_second":0.01}`,
		`{"provider":"openai","model":"by-the-hour","rates":[{"input":1,"output":2}],"source":"litellm"}`)
	f(`"dall-x":{"litellm_provider":"openai","mode":"image_generation","output_cost_per_image":0.04},
		"hd/1024-x-1792/dall-x":{"litellm_provider":"openai","mode":"image_generation","input_cost_per_pixel":6.539e-08},
		"standard/1024-x-1792/dall-x":{"litellm_provider":"openai","mode":"image_generation","input_cost_per_pixel":4.359e-08}`,
		`{"provider":"openai","model":"dall-x","rates":[{"image":0.04,"images":{"1024x1792":0.08,"1024x1792/hd":0.12}}],"source":"litellm"}`)
	f(`"256-x-256/dall-y":{"litellm_provider":"openai","mode":"image_generation","input_cost_per_pixel":2.4414e-07},
		"1024-x-1024/dall-y":{"litellm_provider":"openai","mode":"image_generation","input_cost_per_pixel":1.9e-08}`,
		`{"provider":"openai","model":"dall-y","rates":[{"image":0.02,"images":{"1024x1024":0.02,"256x256":0.016}}],"source":"litellm"}`)
	f(`"image-x":{"litellm_provider":"openai","mode":"image_generation","input_cost_per_token":5e-06,"output_cost_per_image_token":4e-05},
		"high/1024-x-1024/image-x":{"litellm_provider":"openai","mode":"image_generation","input_cost_per_image":0.167}`,
		`{"provider":"openai","model":"image-x","rates":[{"input":5,"image_out":40}],"source":"litellm"}`)
	// A tier without output, a read dearer than the input, and a write cheaper than it are slips.
	f(`"gpt-y":{"litellm_provider":"openai","input_cost_per_token":1e-06,"output_cost_per_token":2e-06,"input_cost_per_token_priority":5e-05,
		"cache_read_input_token_cost":2e-06,"cache_creation_input_token_cost":1e-08}`,
		`{"provider":"openai","model":"gpt-y","rates":[{"input":1,"output":2}],"source":"litellm"}`)
}

func TestReadPriceList_modelsDev(t *testing.T) {
	const models = `{"provider":"openai","model":"gpt-x","release_date":"2026-03-05","cost":{"input":2.5,"output":15,"cache_read":0.25,"cache_write":0,
		"tiers":[{"tier":{"size":272000},"input":5,"output":22.5}]},"experimental":{"modes":{"fast":{"cost":{"input":5,"output":30},"provider":{"body":{"service_tier":"priority"}}}}}},
		{"provider":"gemini","model":"g","release_date":"2026-03","cost":{"input":0.3,"output":2.5,"input_audio":1,"context_over_200k":{"input":0.6,"output":5}}},
		{"provider":"openrouter","model":"a/b:free","cost":{"input":0,"output":0}},
		{"provider":"huggingface","model":"a/b","cost":{"input":0,"output":0}},
		{"provider":"perplexity","model":"deep","cost":{"input":2,"output":8,"citation":2}},
		{"provider":"xai","model":"pictures"},
		{"provider":"nobody","model":"x","cost":{"input":1,"output":2}}`
	list, got := read(t, `{"source":"anomalyco/models.dev","commit":"c0ffee","date":"2026-07-02","licence":"MIT","models":[`+models+`]}`)
	const want = `{"provider":"gemini","model":"g","from":"2026-03-01","rates":[{"input":0.3,"output":2.5,"audio_in":1},{"over":200000,"input":0.6,"output":5}],"source":"models.dev"}
{"provider":"openai","model":"gpt-x","from":"2026-03-05","rates":[{"input":2.5,"cache_read":0.25,"output":15},{"over":272000,"input":5,"output":22.5},{"tier":"priority","input":5,"output":30}],"source":"models.dev"}
{"provider":"openrouter","model":"a/b:free","rates":[{"input":0,"output":0}],"source":"models.dev"}
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if list.Format != "models.dev" || list.Commit != "c0ffee" || list.Date != "2026-07-02" {
		t.Errorf("the list is %+v", list)
	}
	why := map[string]string{}
	for _, s := range list.Skipped {
		why[s.Provider+"/"+s.Model] = s.Why
	}
	for name, want := range map[string]string{
		"huggingface/a/b": "0 for all", "perplexity/deep": "citations", "xai/pictures": "no price", "nobody/x": "not known here",
	} {
		if !strings.Contains(why[name], want) {
			t.Errorf("%s is skipped for %q, want %q", name, why[name], want)
		}
	}

	// The same models as the site's own api.json has them.
	_, api := read(t, `{"google":{"id":"google","models":{"g":{"id":"g","release_date":"2026-03","cost":{"input":0.3,"output":2.5,"input_audio":1,"context_over_200k":{"input":0.6,"output":5}}}}},
		"nobody":{"models":{"x":{"id":"x","cost":{"input":1}}}}}`)
	if want, _, _ := strings.Cut(want, "\n"); strings.TrimSpace(api) != want {
		t.Errorf("api.json gives %swant %s", api, want)
	}
}

func TestReadPriceList_errors(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := ReadPriceList([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	f(``, "no JSON object")
	f(`[]`, "no JSON object")
	f(`{"a":1}`, "models.dev's api.json")
	f(`{"models":[{"provider":5}]}`, "models.dev's list")
	f(`{"openai":{"models":{"x":{"cost":{"input":1,"input":2}}}}}`, "duplicate")
	f(`{"openai":{"models":{"x":{"cost":[]}}}}`, "models.dev's openai")
}

func FuzzReadPriceList(f *testing.F) {
	f.Add([]byte(`{"gpt-x":{"litellm_provider":"openai","input_cost_per_token":1e-06,"output_cost_per_token":2e-06,"provider_specific_entry":{"fast":6}}}`))
	f.Add([]byte(`{"models":[{"provider":"openai","model":"x","cost":{"input":1,"output":2,"tiers":[{"tier":{"size":1},"input":1}]}}]}`))
	f.Add([]byte(`{"google":{"models":{"g":{"cost":{"input":1e300,"output":-2}}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := ReadPriceList(text)
		if err != nil {
			return
		}
		for _, p := range list.Prices {
			if err := p.Check(); err != nil {
				t.Errorf("a price that is none: %v", err)
			}
		}
	})
}

func nanoUSD(t *testing.T, usd string) *int64 {
	t.Helper()
	n, err := storage.ParseUSD(usd)
	if err != nil {
		t.Fatal(err)
	}
	return &n
}
