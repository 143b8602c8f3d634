package policy_test

import (
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
	"github.com/aistrale/aistrale/providers/catalog"
	"github.com/aistrale/aistrale/providers/gemini"
	"github.com/aistrale/aistrale/providers/openai"
	"github.com/aistrale/aistrale/storage"
)

// milli is a rate of so many thousandths of a dollar for a million tokens.
func milli(n int64) *int64 {
	n *= 1_000_000
	return &n
}

// bill takes a reply the whole way: its events through the dialect, their usage into lines, and
// the lines by the prices into nano-USD.
func bill(d providers.Dialect, provider, model string, rates []storage.Rate, frames ...string) storage.Charge {
	book := policy.NewPriceBook([]storage.Price{{ID: "list", Provider: provider, Model: model, Rates: rates}})
	return billBy(book, d, provider, model, frames...)
}

func billBy(book *policy.PriceBook, d providers.Dialect, provider, model string, frames ...string) storage.Charge {
	var usage providers.Usage
	end := policy.Ending{Usage: &usage, Sent: true, Status: 200, Stream: len(frames) > 1, Whole: true}
	for _, frame := range frames {
		seen := d.Observe([]byte(frame))
		end.Content += int64(seen.Content)
		if seen.HasUsage {
			usage.Merge(seen.Usage)
		}
	}
	lines, estimated := policy.Settle(nil, end)
	return book.Charge(policy.Called{Provider: provider, Model: model, Time: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Estimated: estimated}, lines)
}

// Bills that users of other gateways complained of in public: what the provider charged, and
// what the gateway said. Sums are in micro-USD, which is dollars for a million tokens times
// tokens.
func TestBills(t *testing.T) {
	f := func(name string, got storage.Charge, wantNano int64) {
		t.Helper()
		if got.CostNano != wantNano || !got.Known() || got.Estimated {
			t.Errorf("%s: %+v, want %d", name, got, wantNano)
		}
	}

	// Claude 3.7 Sonnet at 3 / 15, cache write 3.75.
	// 3·3 + 12304·3.75 + 550·15 = 9 + 46140 + 8250 = 54399: the console's $0.05439.
	// With the writes among the prompt too: 54399 + 12304·3 = 91311, $0.0913.
	f("https://github.com/BerriAI/litellm/issues/9812",
		bill(anthropic.Dialect{}, "anthropic", "claude-3-7-sonnet-20250219",
			[]storage.Rate{{Input: milli(3000), CacheRead: milli(300), CacheWrite5m: milli(3750), Output: milli(15_000)}},
			`{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":3,"cache_creation_input_tokens":12304,"cache_read_input_tokens":0,"output_tokens":550}}`),
		54_399_000)

	// Gemini 2.5 Pro, by the thread's own figures of 1.25 / 10, cached 0.625.
	// (262960−257955)·1.25 + 257955·0.625 + 1744·10 = 6256.25 + 161221.875 + 17440 = 184918.125,
	// $0.1849. The gateway said $0.7642: 262960·2.5 + 257955·0.3125 + 1744·15 = 764170.9375.
	cached := `{"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":262960,"cachedContentTokenCount":257955,"candidatesTokenCount":1744,"totalTokenCount":264704}}`
	f("https://github.com/BerriAI/litellm/issues/14849",
		bill(gemini.Dialect{}, "gemini", "gemini-2.5-pro",
			[]storage.Rate{{Input: milli(1250), CacheRead: milli(625), Output: milli(10_000)}}, cached),
		184_918_125)
	// As the input is over 200k, the whole call is by the longer context's rates, 2.5 / 15 and
	// 0.625: 5005·2.5 + 257955·0.625 + 1744·15 = 12512.5 + 161221.875 + 26160 = 199894.375.
	f("the same by its context",
		bill(gemini.Dialect{}, "gemini", "gemini-2.5-pro", []storage.Rate{
			{Input: milli(1250), CacheRead: milli(310), Output: milli(10_000)},
			{Over: 200_000, Input: milli(2500), CacheRead: milli(625), Output: milli(15_000)},
		}, cached), 199_894_375)

	// GPT-5 at 1.25 / 10, cached 0.125; 51232 uncached of 1239328.
	// 51232·1.25 + 1188096·0.125 + 12909·10 = 64040 + 148512 + 129090 = 341642: about $0.34.
	// All input at one price: 1239328·1.25 + 129090 = 1678250, $1.68.
	gpt5 := []storage.Rate{
		{Input: milli(1250), CacheRead: milli(125), Output: milli(10_000)},
		{Tier: "flex", Input: milli(625), CacheRead: storageRate(62_500_000), Output: milli(5000)},
		{Tier: "priority", Input: milli(2500), CacheRead: milli(250), Output: milli(20_000)},
	}
	f("https://github.com/maximhq/bifrost/issues/904",
		bill(openai.Dialect{}, "openai", "gpt-5", gpt5,
			`{"object":"chat.completion","choices":[{"message":{"content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1239328,"completion_tokens":12909,"total_tokens":1252237,"prompt_tokens_details":{"cached_tokens":1188096}},"service_tier":"default"}`),
		341_642_000)

	// Claude Opus 4.7 at 5 / 25, cache write 6.25, a stream: the input stands in its first event,
	// the output in its last. 6·5 + 159217·6.25 + 2745·25 = 30 + 995106.25 + 68625 = 1063761.25.
	// The gateway added 159217·5 = 796085.
	opus := []storage.Rate{{Input: milli(5000), CacheRead: milli(500), CacheWrite5m: milli(6250), Output: milli(25_000)}}
	f("https://github.com/maximhq/bifrost/issues/3451",
		bill(anthropic.Dialect{}, "anthropic", "claude-opus-4-7", opus,
			`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":6,"cache_creation_input_tokens":159217,"cache_read_input_tokens":0,"output_tokens":3,"service_tier":"standard"}}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"ok"}}`,
			`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2745}}`,
			`{"type":"message_stop"}`),
		1_063_761_250)
	// The last event repeats the input: what it says counts, nothing is summed.
	f("the same, repeated",
		bill(anthropic.Dialect{}, "anthropic", "claude-opus-4-7", opus,
			`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":6,"cache_creation_input_tokens":159217,"output_tokens":3}}}`,
			`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":6,"cache_creation_input_tokens":159217,"output_tokens":2745}}`),
		1_063_761_250)

	// Cache hits and cache writes in OpenAI's words, at 5, 0.5 and 6.25:
	// (172000−155000−3000)·5 + 155000·0.5 + 3000·6.25 = 70000 + 77500 + 18750 = 166250, not 860000.
	f("https://github.com/BerriAI/litellm/issues/35127",
		bill(openai.Dialect{}, "openai", "m", []storage.Rate{{Input: milli(5000), CacheRead: milli(500), CacheWrite5m: milli(6250), Output: milli(30_000)}},
			`{"choices":[],"usage":{"prompt_tokens":172000,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":155000,"cache_write_tokens":3000}}}`),
		166_250_000)

	// 1·1.4 + 27146·0.26 + 351·4.4 = 1.4 + 7057.96 + 1544.4 = 8603.76.
	f("https://github.com/BerriAI/litellm/issues/31714",
		bill(openai.Dialect{}, "fireworks", "m", []storage.Rate{{Input: milli(1400), CacheRead: milli(260), Output: milli(4400)}},
			`{"choices":[{"message":{"content":"ok"}}],"usage":{"prompt_tokens":27147,"completion_tokens":351,"prompt_tokens_details":{"cached_tokens":27146}}}`),
		8_603_760)
}

func storageRate(nano int64) *int64 { return &nano }

// The same by the prices that the program is shipped with.
func TestBills_catalogue(t *testing.T) {
	book := policy.NewPriceBook(catalog.Prices())
	f := func(d providers.Dialect, provider, model string, wantNano int64, frame string) {
		t.Helper()
		if got := billBy(book, d, provider, model, frame); got.CostNano != wantNano || !got.Known() || got.PriceID == "" {
			t.Errorf("%s/%s: %+v, want %d", provider, model, got, wantNano)
		}
	}
	f(anthropic.Dialect{}, "anthropic", "claude-3-7-sonnet-20250219", 54_399_000,
		`{"type":"message","usage":{"input_tokens":3,"cache_creation_input_tokens":12304,"cache_read_input_tokens":0,"output_tokens":550}}`)
	f(openai.Dialect{}, "openai", "gpt-5-2025-08-07", 341_642_000,
		`{"choices":[],"usage":{"prompt_tokens":1239328,"completion_tokens":12909,"prompt_tokens_details":{"cached_tokens":1188096}}}`)
	f(openai.Dialect{}, "groq", "llama-3.3-70b-versatile", 67_000, `{"choices":[],"usage":{"prompt_tokens":60,"completion_tokens":40}}`)
	// Cached at 0.25 by now: 5005·2.5 + 257955·0.25 + 1744·15 = 12512.5 + 64488.75 + 26160.
	f(gemini.Dialect{}, "gemini", "gemini-2.5-pro", 103_161_250,
		`{"usageMetadata":{"promptTokenCount":262960,"cachedContentTokenCount":257955,"candidatesTokenCount":1744}}`)
	f(openai.Dialect{}, "mock", "gpt", 19_000+2*42_000, `{"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":42,"prompt_tokens_details":{"cached_tokens":10}}}`)
}

// What each provider's own words come to. Sums are in micro-USD.
func TestBills_providers(t *testing.T) {
	f := func(name string, got storage.Charge, wantNano int64) {
		t.Helper()
		if got.CostNano != wantNano || !got.Known() || got.Estimated {
			t.Errorf("%s: %+v, want %d", name, got, wantNano)
		}
	}
	// Claude Sonnet 4.5 at 3 / 15, cached 0.3, written 3.75 (5 minutes) and 6 (1 hour):
	// 10·3 + 2000·0.3 + 300·3.75 + 200·6 + 42·15 = 30 + 600 + 1125 + 1200 + 630 = 3585.
	sonnet := []storage.Rate{
		{Input: milli(3000), CacheRead: milli(300), CacheWrite5m: milli(3750), CacheWrite1h: milli(6000), Output: milli(15_000), Search: storageRate(10_000_000)},
		{Over: 200_000, Input: milli(6000), CacheRead: milli(600), CacheWrite5m: milli(7500), CacheWrite1h: milli(12_000), Output: milli(22_500)},
	}
	claude := func(usage string) storage.Charge {
		return bill(anthropic.Dialect{}, "anthropic", "claude-sonnet-4-5", sonnet,
			`{"type":"message","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":`+usage+`}`)
	}
	f("anthropic", claude(`{"input_tokens":10,"cache_read_input_tokens":2000,"cache_creation_input_tokens":500,"cache_creation":{"ephemeral_5m_input_tokens":300,"ephemeral_1h_input_tokens":200},"output_tokens":42,"service_tier":"standard"}`), 3_585_000)
	// The input with its cached part is over 200k: 10·6 + 200000·0.6 + 42·22.5 = 60 + 120000 + 945.
	f("anthropic, long", claude(`{"input_tokens":10,"cache_read_input_tokens":200000,"output_tokens":42}`), 121_005_000)
	// Two searches at a cent: 10·3 + 42·15 + 20000.
	f("anthropic, searches", claude(`{"input_tokens":10,"output_tokens":42,"server_tool_use":{"web_search_requests":2}}`), 20_660_000)

	// GPT-5 with thoughts within the output, by tier: 1000·1.25 + 500·10 = 6250, half, and double.
	gpt5 := []storage.Rate{
		{Input: milli(1250), CacheRead: milli(125), Output: milli(10_000)},
		{Tier: "flex", Input: milli(625), Output: milli(5000)},
		{Tier: "priority", Input: milli(2500), Output: milli(20_000)},
	}
	gpt := func(tier string) storage.Charge {
		return bill(openai.Dialect{}, "openai", "gpt-5", gpt5,
			`{"choices":[{"delta":{"content":"ok"}}],"service_tier":"`+tier+`"}`,
			`{"choices":[],"service_tier":"`+tier+`","usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"completion_tokens_details":{"reasoning_tokens":400}}}`,
			`[DONE]`)
	}
	f("openai", gpt("default"), 6_250_000)
	f("openai, flex", gpt("flex"), 3_125_000)
	f("openai, priority", gpt("priority"), 12_500_000)
	// OpenAI calls the priority tier fast since July 2026.
	f("openai, fast", gpt("fast"), 12_500_000)
	// gpt-4o-audio at 2.5 / 10 for text and 40 / 80 for audio:
	// 30·2.5 + 70·40 + 20·10 + 180·80 = 75 + 2800 + 200 + 14400 = 17475.
	f("openai, audio", bill(openai.Dialect{}, "openai", "gpt-4o-audio-preview",
		[]storage.Rate{{Input: milli(2500), Output: milli(10_000), AudioIn: milli(40_000), AudioOut: milli(80_000)}},
		`{"choices":[{"message":{"content":null,"audio":{"transcript":"ok"}}}],"usage":{"prompt_tokens":100,"completion_tokens":200,"prompt_tokens_details":{"audio_tokens":70,"text_tokens":30},"completion_tokens_details":{"audio_tokens":180,"text_tokens":20}}}`),
		17_475_000)

	// Gemini counts thoughts beside the candidates, and its tools' input beside the prompt:
	// (100+30)·0.3 + (20+400)·2.5 = 39 + 1050 = 1089.
	flash := []storage.Rate{{Input: milli(300), CacheRead: milli(30), Output: milli(2500), AudioIn: milli(1000), AudioCacheRead: milli(100), ImageOut: milli(30_000), Search: storageRate(35_000_000)}}
	google := func(usage string) storage.Charge {
		return bill(gemini.Dialect{}, "gemini", "gemini-2.5-flash", flash,
			`{"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}],"modelVersion":"gemini-2.5-flash","usageMetadata":`+usage+`}`)
	}
	f("gemini", google(`{"promptTokenCount":100,"toolUsePromptTokenCount":30,"candidatesTokenCount":20,"thoughtsTokenCount":400,"serviceTier":"standard"}`), 1_089_000)
	// All of the prompt is audio, and half of it cached: 50·1 + 50·0.1 + 10·2.5 = 50 + 5 + 25.
	f("gemini, audio", google(`{"promptTokenCount":100,"cachedContentTokenCount":50,"candidatesTokenCount":10,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":100}]}`), 80_000)
	// A picture of 1290 tokens beside 10 words: 7·0.3 + 10·2.5 + 1290·30 = 2.1 + 25 + 38700.
	f("gemini, a picture", google(`{"promptTokenCount":7,"candidatesTokenCount":1300,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}]}`), 38_727_100)
	// A prompt that was grounded in two queries counts once before Gemini 3: 100·0.3 + 10·2.5 + 35000.
	f("gemini, searches", bill(gemini.Dialect{}, "gemini", "gemini-2.5-flash", flash,
		`{"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a","b"]}}],"modelVersion":"gemini-2.5-flash","usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":10}}`),
		35_055_000)

	// Groq in a stream, with its usage under a name of its own: 60·0.59 + 40·0.79 = 35.4 + 31.6.
	llama := []storage.Rate{{Input: milli(590), Output: milli(790)}}
	f("groq", bill(openai.Dialect{}, "groq", "llama-3.3-70b-versatile", llama,
		`{"choices":[{"delta":{"content":"ok"}}]}`,
		`{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.1,"prompt_tokens":60,"completion_tokens":40,"total_tokens":100}}}`,
		`[DONE]`), 67_000)
	// Its compound system calls two models, each at its own price; usage is their sum:
	// 60·0.59 + 40·0.79 + 100·0.11 + 10·0.34 = 35.4 + 31.6 + 11 + 3.4 = 81.4.
	compound := policy.NewPriceBook([]storage.Price{
		{ID: "a", Provider: "groq", Model: "llama-3.3-70b-versatile", Rates: llama},
		{ID: "b", Provider: "groq", Model: "meta-llama/llama-4-scout", Rates: []storage.Rate{{Input: milli(110), Output: milli(340)}}},
	})
	both := billBy(compound, openai.Dialect{}, "groq", "groq/compound",
		`{"choices":[{"message":{"content":"ok"}}],"service_tier":"on_demand","usage":{"prompt_tokens":160,"completion_tokens":50},"usage_breakdown":{"models":[`+
			`{"model":"meta-llama/llama-4-scout","usage":{"prompt_tokens":100,"completion_tokens":10}},{"model":"llama-3.3-70b-versatile","usage":{"prompt_tokens":60,"completion_tokens":40}}]}}`)
	f("groq, compound", both, 81_400)
	if both.PriceID != "a,b" {
		t.Errorf("priced by %q", both.PriceID)
	}

	// HuggingFace sends it on to another provider, which the name may say: 60·0.9 + 40·0.9.
	f("huggingface", bill(openai.Dialect{}, "huggingface", "meta-llama/Llama-3.3-70B-Instruct",
		[]storage.Rate{{Input: milli(900), Output: milli(900)}},
		`{"choices":[{"message":{"content":"ok"}}],"usage":{"prompt_tokens":60,"completion_tokens":40,"total_tokens":100}}`), 90_000)
}

// A model without a price costs an unknown sum, never nothing: otherwise a budget would not
// trip (https://github.com/BerriAI/litellm/issues/25874).
func TestBills_unknown(t *testing.T) {
	book := policy.NewPriceBook([]storage.Price{{ID: "list", Provider: "openai", Model: "gpt-5", Rates: []storage.Rate{{Input: milli(1250), Output: milli(10_000)}}}})
	f := func(model, reason, frame string) {
		t.Helper()
		got := billBy(book, openai.Dialect{}, "openai", model, frame)
		if got.Known() || got.Unpriced != reason || got.CostNano != 0 {
			t.Errorf("%s: %+v, want %q", model, got, reason)
		}
	}
	usage := `"usage":{"prompt_tokens":10,"completion_tokens":5}`
	f("gpt-9-pro", policy.UnpricedModel, `{"choices":[],`+usage+`}`)
	f("gpt-5-image-large", policy.UnpricedModel, `{"choices":[],`+usage+`}`)
	f("gpt-5", "no price for tier flex", `{"choices":[],"service_tier":"flex",`+usage+`}`)
	f("gpt-5", policy.UnpricedTier, `{"choices":[],"service_tier":"turbo",`+usage+`}`)
	f("gpt-5", policy.UnpricedSearch, `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"num_search_queries":1}}`)
}

// A stream that broke off costs what was seen of it, and says that it is an estimate.
func TestBills_cut(t *testing.T) {
	book := policy.NewPriceBook([]storage.Price{{ID: "list", Provider: "anthropic", Model: "m", Rates: []storage.Rate{{Input: milli(3000), Output: milli(15_000)}}}})
	var usage providers.Usage
	usage.Merge(anthropic.Dialect{}.Observe([]byte(`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":19,"output_tokens":1}}}`)).Usage)
	lines, estimated := policy.Settle(nil, policy.Ending{Usage: &usage, Sent: true, Status: 200, Stream: true, Content: 4000, Bound: storage.Bound{Output: 4096}})
	got := book.Charge(policy.Called{Provider: "anthropic", Model: "m", Estimated: estimated}, lines)
	// 4000 bytes are about 1000 tokens, and a tenth: 19·3 + 1100·15 = 57 + 16500.
	if got.CostNano != 16_557_000 || !got.Estimated {
		t.Errorf("%+v", got)
	}
}
