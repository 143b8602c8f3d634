package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
)

// translatedModels are those of the emulator that know no Responses.
var translatedModels = []string{"mock/claude", "mock/gemini"}

func respond(model, text string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: model, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}}
}

// OpenAI's own client speaks Responses with models of Anthropic's and Gemini's language.
func TestGoClient_Responses(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client := goClient(r, fullKey)
	for _, model := range translatedModels {
		name := strings.TrimPrefix(model, "mock/")
		t.Run("text/"+name, func(t *testing.T) {
			got, err := client.Responses.New(t.Context(), respond(model, "Say hello."), told("input=19; output=42"))
			if err != nil {
				t.Fatal(err)
			}
			if got.OutputText() == "" || got.Status != "completed" || got.Model != model || got.Usage.InputTokens != 19 || got.Usage.OutputTokens != 42 {
				t.Errorf("%s", got.RawJSON())
			}
		})
		t.Run("stream/"+name, func(t *testing.T) { goRespondStream(t, client, model) })
		t.Run("tools/"+name, func(t *testing.T) { goRespondTools(t, client, model) })
		t.Run("refused/"+name, func(t *testing.T) {
			ask := respond(model, "More.")
			ask.PreviousResponseID = openai.String("resp_of_nobody")
			if _, err := client.Responses.New(t.Context(), ask); err == nil || !strings.Contains(err.Error(), "404") && !strings.Contains(err.Error(), "400") {
				t.Errorf("%v", err)
			}
		})
	}
}

func goRespondStream(t *testing.T, client openai.Client, model string) {
	t.Helper()
	stream := client.Responses.NewStreaming(t.Context(), respond(model, "Say hello."), told("thinking=1"))
	var text, thought string
	var last responses.Response
	for want := int64(0); stream.Next(); want++ {
		ev := stream.Current()
		if ev.SequenceNumber != want {
			t.Fatalf("event %s has the number %d, want %d", ev.Type, ev.SequenceNumber, want)
		}
		switch ev.Type {
		case "response.output_text.delta":
			text += ev.Delta
		case "response.reasoning_summary_text.delta":
			thought += ev.Delta
		case "response.completed":
			last = ev.Response
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if text == "" || text != last.OutputText() || thought == "" || last.Usage.OutputTokens == 0 {
		t.Errorf("text %q, thought %q, at last %s", text, thought, last.RawJSON())
	}
}

// goRespondTools calls a tool and sends the output back as it came, seals and all.
func goRespondTools(t *testing.T, client openai.Client, model string) {
	t.Helper()
	ask := respond(model, "")
	question := responses.ResponseInputItemParamOfMessage("Please use the tool.", responses.EasyInputMessageRoleUser)
	ask.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{question}}
	ask.Tools = []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{
		Name: "get_weather", Strict: openai.Bool(false),
		Parameters: map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}},
	}}}
	first, err := client.Responses.New(t.Context(), ask, told("thinking=1"))
	if err != nil {
		t.Fatal(err)
	}
	items, called := ask.Input.OfInputItemList, false
	for _, item := range first.Output {
		items = append(items, param.Override[responses.ResponseInputItemUnionParam](json.RawMessage(item.RawJSON())))
		if item.Type == "function_call" {
			called = true
			answer := responses.ResponseInputItemParamOfFunctionCallOutput("it rains")
			answer.OfFunctionCallOutput.CallID = openai.String(item.CallID)
			items = append(items, answer)
		}
	}
	if !called || !strings.Contains(first.RawJSON(), "aistrale:") {
		t.Fatalf("no call, or no seal: %s", first.RawJSON())
	}
	ask.Input.OfInputItemList = items
	second, err := client.Responses.New(t.Context(), ask, told("thinking=1"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(second.OutputText(), "it rains") {
		t.Errorf("%s", second.RawJSON())
	}
}
