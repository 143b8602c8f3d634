package main_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers/mock"
)

// dialects are the emulator's models: one behind each language that the gateway speaks.
var dialects = []string{"mock/gpt", "mock/claude", "mock/gemini"}

// pixelURL is an image of one dot.
const pixelURL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="

// goClient is OpenAI's own client in Go, as a user sets it up.
func goClient(r *running, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(r.url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func ask(model string, messages ...openai.ChatCompletionMessageParamUnion) openai.ChatCompletionNewParams {
	if len(messages) == 0 {
		messages = append(messages, openai.UserMessage("Say hello."))
	}
	return openai.ChatCompletionNewParams{Model: model, Messages: messages}
}

func told(settings string) option.RequestOption { return option.WithHeader("x-mock", settings) }

// weatherTools are two functions, so that parallel calls can be told apart.
func weatherTools() []openai.ChatCompletionToolUnionParam {
	place := shared.FunctionParameters{
		"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"},
	}
	var tools []openai.ChatCompletionToolUnionParam
	for _, name := range []string{"get_weather", "get_time"} {
		tools = append(tools, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: name, Parameters: place}))
	}
	return tools
}

func eachDialect(t *testing.T, f func(t *testing.T, model string)) {
	for _, model := range dialects {
		t.Run(strings.TrimPrefix(model, "mock/"), func(t *testing.T) { f(t, model) })
	}
}

func TestGoClient(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client, ctx := goClient(r, fullKey), t.Context()
	t.Run("chat", func(t *testing.T) {
		eachDialect(t, func(t *testing.T, model string) {
			got, err := client.Chat.Completions.New(ctx, ask(model), told("input=19; output=42"))
			if err != nil {
				t.Fatal(err)
			}
			if c := got.Choices[0]; c.Message.Content == "" || c.FinishReason != "stop" || c.Message.Role != "assistant" {
				t.Errorf("%+v", c)
			}
			if got.Usage.PromptTokens != 19 || got.Usage.CompletionTokens != 42 || got.Usage.TotalTokens != 61 {
				t.Errorf("usage %+v", got.Usage)
			}
		})
	})
	t.Run("stream", func(t *testing.T) {
		eachDialect(t, func(t *testing.T, model string) { goStream(t, client, model) })
	})
	t.Run("structured output", func(t *testing.T) {
		eachDialect(t, func(t *testing.T, model string) { goStructured(t, client, model) })
	})
	t.Run("image", func(t *testing.T) {
		eachDialect(t, func(t *testing.T, model string) {
			parts := []openai.ChatCompletionContentPartUnionParam{
				openai.TextContentPart("What is this?"), openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: pixelURL}),
			}
			if _, err := client.Chat.Completions.New(ctx, ask(model, openai.UserMessage(parts))); err != nil {
				t.Fatal(err)
			}
			calls := r.mock.Calls()
			if _, data, _ := strings.Cut(pixelURL, ","); !strings.Contains(string(calls[len(calls)-1].Body), data) {
				t.Error("the image did not reach the upstream")
			}
		})
	})
	t.Run("embeddings", func(t *testing.T) {
		for _, model := range []string{"mock/gpt", "mock/gemini"} {
			got, err := client.Embeddings.New(ctx, openai.EmbeddingNewParams{
				Model: model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two"}},
			})
			if err != nil {
				t.Fatalf("%s: %v", model, err)
			}
			if len(got.Data) != 2 || len(got.Data[1].Embedding) == 0 || got.Data[1].Index != 1 || got.Usage.PromptTokens == 0 {
				t.Errorf("%s: %d embeddings, usage %+v", model, len(got.Data), got.Usage)
			}
		}
	})
	t.Run("models", func(t *testing.T) {
		page, err := client.Models.List(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range page.Data {
			ids = append(ids, m.ID)
		}
		for _, model := range dialects {
			if !slices.Contains(ids, model) {
				t.Errorf("%s is not among %q", model, ids)
			}
		}
		if one, err := client.Models.Get(ctx, "mock/gpt"); err != nil || one.ID != "mock/gpt" {
			t.Errorf("%+v, %v", one, err)
		}
	})
}

func goStream(t *testing.T, client openai.Client, model string) {
	t.Helper()
	asked := ask(model)
	asked.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Chat.Completions.NewStreaming(t.Context(), asked, told("events=20; input=19; output=42"))
	var all openai.ChatCompletionAccumulator
	deltas := 0
	for stream.Next() {
		chunk := stream.Current()
		if !all.AddChunk(chunk) {
			t.Fatalf("chunk %s does not fit", chunk.RawJSON())
		}
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			deltas++
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if deltas != 20 || all.Choices[0].FinishReason != "stop" || all.Usage.PromptTokens != 19 || all.Usage.CompletionTokens != 42 {
		t.Errorf("%d deltas, finish %q, usage %+v", deltas, all.Choices[0].FinishReason, all.Usage)
	}
}

func goStructured(t *testing.T, client openai.Client, model string) {
	t.Helper()
	asked := ask(model)
	asked.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "person", Strict: openai.Bool(true), Schema: map[string]any{
			"type": "object", "additionalProperties": false, "required": []string{"name", "age", "mood"},
			"properties": map[string]any{
				"name": map[string]any{"type": "string"}, "age": map[string]any{"type": "integer"},
				"mood": map[string]any{"type": "string", "enum": []string{"calm", "cross"}},
			},
		}},
	}}
	got, err := client.Chat.Completions.New(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	var person struct {
		Name *string
		Age  *int
		Mood string
	}
	if err := json.Unmarshal([]byte(got.Choices[0].Message.Content), &person); err != nil || person.Name == nil || person.Age == nil {
		t.Fatalf("%q: %v", got.Choices[0].Message.Content, err)
	}
	if person.Mood != "calm" && person.Mood != "cross" {
		t.Errorf("mood %q", person.Mood)
	}
}

func TestGoClient_tools(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client := goClient(r, fullKey)
	f := func(t *testing.T, model, settings string, names ...string) {
		t.Helper()
		asked := ask(model, openai.UserMessage("How is the weather in Oslo?"))
		asked.Tools = weatherTools()
		for round := 0; ; round++ {
			got, err := client.Chat.Completions.New(t.Context(), asked, told(settings))
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			message := got.Choices[0].Message
			if len(message.ToolCalls) == 0 {
				if round != 1 || !strings.Contains(message.Content, "4 degrees") || got.Choices[0].FinishReason != "stop" {
					t.Errorf("round %d ended with %q (%s)", round, message.Content, got.Choices[0].FinishReason)
				}
				return
			}
			var called []string
			asked.Messages = append(asked.Messages, message.ToParam())
			for _, call := range message.ToolCalls {
				called = append(called, call.Function.Name)
				if !gjson.Get(call.Function.Arguments, "city").Exists() {
					t.Errorf("arguments %s", call.Function.Arguments)
				}
				asked.Messages = append(asked.Messages, openai.ToolMessage("4 degrees", call.ID))
			}
			if got.Choices[0].FinishReason != "tool_calls" || !slices.Equal(called, names) {
				t.Fatalf("called %q (%s), want %q", called, got.Choices[0].FinishReason, names)
			}
		}
	}
	eachDialect(t, func(t *testing.T, model string) {
		f(t, model, "tool=get_weather", "get_weather")
		f(t, model, "tool=get_weather,get_time", "get_weather", "get_time")
	})
}

// Turn two of a tool loop with reasoning: what the first answer gave comes back to its upstream
// as it was, signatures and order intact. The emulator checks the signatures, which cover each
// block and all that stood before it.
func TestGoClient_reasoning(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client := goClient(r, fullKey)
	eachDialect(t, func(t *testing.T, model string) {
		for _, settings := range []string{"thinking=1; tool=get_weather", "thinking=2; tool=get_weather,get_time", "thinking=1; steps=3; tool=get_weather"} {
			asked := ask(model, openai.UserMessage("How is the weather in Oslo?"))
			asked.Tools, asked.ReasoningEffort = weatherTools(), shared.ReasoningEffortLow
			for round := 0; ; round++ {
				got, err := client.Chat.Completions.New(t.Context(), asked, told(settings))
				if err != nil {
					t.Fatalf("%s, round %d: %v", settings, round, err)
				}
				checkTurns(t, model, settings, r.mock.Calls(), round)
				message := got.Choices[0].Message
				if len(message.ToolCalls) == 0 {
					if want := 1 + 2*strings.Count(settings, "steps"); round != want {
						t.Errorf("%s: %d rounds, want %d", settings, round, want)
					}
					break
				}
				asked.Messages = append(asked.Messages,
					param.Override[openai.ChatCompletionMessageParamUnion](json.RawMessage(message.RawJSON())))
				for _, call := range message.ToolCalls {
					asked.Messages = append(asked.Messages, openai.ToolMessage("4 degrees", call.ID))
				}
			}
		}
	})
}

// checkTurns looks at what the upstream received last: each model turn with its reasoning, in
// the order in which the emulator gave it, sealed.
func checkTurns(t *testing.T, model, settings string, calls []mock.Call, rounds int) {
	t.Helper()
	body := gjson.ParseBytes(calls[len(calls)-1].Body)
	var got []string
	switch model {
	case "mock/claude":
		for _, b := range body.Get(`messages.#(role=="assistant")#.content|@flatten`).Array() {
			kind := b.Get("type").Str
			if kind == "thinking" && (b.Get("signature").Str == "" || b.Get("thinking").Str == "") {
				t.Errorf("%s: thinking %s", settings, b.Raw)
			}
			got = append(got, kind)
		}
	case "mock/gemini":
		for _, p := range body.Get(`contents.#(role=="model")#.parts|@flatten`).Array() {
			if call := p.Get("functionCall"); call.Exists() {
				kind := "call"
				if seal := p.Get("thoughtSignature").Str; seal != "" && !strings.HasPrefix(seal, "skip_") {
					kind = "sealed call"
				}
				got = append(got, kind)
			}
		}
	default:
		return // Chat Completions carries no reasoning back
	}
	one := map[string]map[string][]string{
		"mock/claude": {
			"thinking=1; tool=get_weather":          {"thinking", "tool_use"},
			"thinking=2; tool=get_weather,get_time": {"thinking", "tool_use", "thinking", "tool_use"},
			"thinking=1; steps=3; tool=get_weather": {"thinking", "tool_use"},
		},
		"mock/gemini": {
			"thinking=1; tool=get_weather":          {"sealed call"},
			"thinking=2; tool=get_weather,get_time": {"sealed call", "call"},
			"thinking=1; steps=3; tool=get_weather": {"sealed call"},
		},
	}[model][settings]
	if want := slices.Repeat(one, rounds); !slices.Equal(got, want) {
		t.Errorf("%s: the upstream received %q, want %q", settings, got, want)
	}
}

// Without its signature the emulator refuses a turn: so the tests above can fail.
func TestGoClient_reasoning_forged(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client := goClient(r, fullKey)
	f := func(model, settings, from, to string) {
		t.Helper()
		asked := ask(model, openai.UserMessage("How is the weather in Oslo?"))
		asked.Tools, asked.ReasoningEffort = weatherTools(), shared.ReasoningEffortLow
		got, err := client.Chat.Completions.New(t.Context(), asked, told(settings))
		if err != nil {
			t.Fatal(err)
		}
		message := got.Choices[0].Message
		forged := strings.Replace(message.RawJSON(), from, to, 1)
		if forged == message.RawJSON() {
			t.Fatalf("%s has no %s", forged, from)
		}
		asked.Messages = append(asked.Messages, param.Override[openai.ChatCompletionMessageParamUnion](json.RawMessage(forged)))
		for _, call := range message.ToolCalls {
			asked.Messages = append(asked.Messages, openai.ToolMessage("4 degrees", call.ID))
		}
		_, err = client.Chat.Completions.New(t.Context(), asked, told(settings))
		var refused *openai.Error
		if !errors.As(err, &refused) || refused.StatusCode != http.StatusBadRequest || !strings.Contains(strings.ToLower(refused.Message), "signature") {
			t.Errorf("%s: a forged turn gave %v", model, err)
		}
	}
	f("mock/claude", "thinking=1; tool=get_weather", `"signature":"`, `"signature":"AAAA`)
	f("mock/gemini", "thinking=1; tool=get_weather", `"thought_signature":"`, `"thought_signature":"AAAA`)
}
