package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/aistrale/aistrale/providers/mock"
)

// anthropicFolder holds the script of Anthropic's client for Node.js.
var anthropicFolder = filepath.Join("testdata", "clients", "anthropic")

// TestAnthropicNodeClient: Anthropic's own client, against its language and both others.
func TestAnthropicNodeClient(t *testing.T) {
	t.Parallel()
	needNode(t)
	r := start(t, "")
	runNode(t, r, anthropicFolder, "clients.mjs", 3*14+3)
	eventually(t, "all upstream calls end", func() bool { return r.mock.Open() == 0 })
	sealed, marked := map[string]int{}, 0
	for _, c := range r.mock.Calls() {
		language, _, _ := strings.Cut(strings.TrimPrefix(c.URI, "/"), "/")
		body := string(c.Body)
		if strings.Contains(body, `"signature":"`) || strings.Contains(body, `"thoughtSignature":"`) && !strings.Contains(body, `"thoughtSignature":"skip_`) {
			sealed[language]++
		}
		if language == "anthropic" {
			marked += strings.Count(body, `"cache_control":{"type":"ephemeral"}`)
			if strings.Contains(body, "aistrale.") {
				t.Errorf("what the client carries for another upstream reached Anthropic: %s", body)
			}
		}
	}
	for _, language := range []string{"anthropic", "gemini"} {
		if want := 2 * 5; sealed[language] < want { // whole and streamed: one turn, one of two calls, and three rounds
			t.Errorf("%s: %d requests carried seals, want %d", language, sealed[language], want)
		}
	}
	if marked != 3 {
		t.Errorf("%d cache marks reached the upstream, want 3", marked)
	}
}

// anthropicClient is Anthropic's own client in Go, as a user sets it up.
func anthropicClient(r *running, key string) anthropic.Client {
	return anthropic.NewClient(option.WithBaseURL(r.url+"/anthropic"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func message(model string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: anthropic.Model(model), MaxTokens: 4096,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("How is the weather in Oslo?"))},
	}
}

func TestAnthropicGoClient(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client := anthropicClient(r, fullKey)
	t.Run("stream", func(t *testing.T) {
		eachDialect(t, func(t *testing.T, model string) {
			stream := client.Messages.NewStreaming(t.Context(), message(model), option.WithHeader("x-mock", "events=20; input=19; output=42"))
			var all anthropic.Message
			for stream.Next() {
				if err := all.Accumulate(stream.Current()); err != nil {
					t.Fatal(err)
				}
			}
			if err := stream.Err(); err != nil {
				t.Fatal(err)
			}
			if all.StopReason != anthropic.StopReasonEndTurn || all.Usage.OutputTokens != 42 || len(all.Content) != 1 || all.Content[0].Text == "" {
				t.Errorf("%s, usage %+v, content %+v", all.StopReason, all.Usage, all.Content)
			}
		})
	})
	t.Run("tools and thinking", func(t *testing.T) {
		eachDialect(t, func(t *testing.T, model string) { anthropicLoop(t, client, model) })
	})
	t.Run("count tokens", func(t *testing.T) {
		params := anthropic.MessageCountTokensParams{Model: "mock/claude", Messages: message("").Messages}
		got, err := client.Messages.CountTokens(t.Context(), params, option.WithHeader("x-mock", "input=19"))
		if err != nil || got.InputTokens != 19 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("errors", func(t *testing.T) { anthropicErrors(t, r, client) })
	t.Run("models", func(t *testing.T) {
		page, err := client.Models.List(t.Context(), anthropic.ModelListParams{Limit: anthropic.Int(1000)})
		if err != nil || len(page.Data) < len(dialects) || page.HasMore {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

// anthropicLoop plays a conversation with thinking and two calls to its end, handing each answer
// back as the client gives it.
func anthropicLoop(t *testing.T, client anthropic.Client, model string) {
	t.Helper()
	params := message(model)
	params.Thinking = anthropic.ThinkingConfigParamOfEnabled(1024)
	for _, name := range []string{"get_weather", "get_time"} {
		params.Tools = append(params.Tools, anthropic.ToolUnionParam{OfTool: &anthropic.ToolParam{Name: name, InputSchema: anthropic.ToolInputSchemaParam{
			Properties: map[string]any{"city": map[string]any{"type": "string"}}, Required: []string{"city"},
		}}})
	}
	for round := 0; ; round++ {
		got, err := client.Messages.New(t.Context(), params, option.WithHeader("x-mock", "thinking=2; tool=get_weather,get_time"))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		params.Messages = append(params.Messages, got.ToParam())
		var results []anthropic.ContentBlockParamUnion
		for _, b := range got.Content {
			if b.Type == "tool_use" {
				results = append(results, anthropic.NewToolResultBlock(b.ID, "4 degrees", false))
			}
		}
		if len(results) == 0 {
			if round != 1 || got.StopReason != anthropic.StopReasonEndTurn {
				t.Errorf("round %d ended with %s: %+v", round, got.StopReason, got.Content)
			}
			return
		}
		if len(results) != 2 || got.StopReason != anthropic.StopReasonToolUse {
			t.Errorf("%d calls, %s", len(results), got.StopReason)
		}
		params.Messages = append(params.Messages, anthropic.NewUserMessage(results...))
	}
}

func anthropicErrors(t *testing.T, r *running, client anthropic.Client) {
	t.Helper()
	f := func(by anthropic.Client, model, settings string, status int, kind string) {
		t.Helper()
		_, err := by.Messages.New(context.Background(), message(model), option.WithHeader("x-mock", settings))
		var refused *anthropic.Error
		if !errors.As(err, &refused) || refused.StatusCode != status {
			t.Errorf("%s %s: %v, want %d", model, settings, err, status)
			return
		}
		var body struct {
			Type  string
			Error struct{ Type, Message string }
		}
		if err := json.Unmarshal([]byte(refused.RawJSON()), &body); err != nil || body.Type != "error" || body.Error.Type != kind || body.Error.Message == "" {
			t.Errorf("%s %s: %s (%v), want %s", model, settings, refused.RawJSON(), err, kind)
		}
	}
	for _, model := range dialects {
		f(client, model, "status=400", http.StatusBadRequest, "invalid_request_error")
		f(client, model, "status=429", http.StatusTooManyRequests, "rate_limit_error")
		f(client, model, "status=401", http.StatusBadGateway, "api_error")
		f(anthropicClient(r, unknownKey), model, "", http.StatusUnauthorized, "authentication_error")
	}
	f(client, "mock/claude", "status=529", 529, "overloaded_error")
	f(client, "nobody/knows", "", http.StatusNotFound, "not_found_error")
	f(anthropicClient(r, narrowKey), "mock/claude", "", http.StatusForbidden, "permission_error")
}

// lastCall is what an upstream was sent last.
func lastCall(t *testing.T, r *running) mock.Call {
	t.Helper()
	calls := r.mock.Calls()
	if len(calls) == 0 {
		t.Fatal("no upstream was called")
	}
	return calls[len(calls)-1]
}
