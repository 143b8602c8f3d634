package main_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/tidwall/gjson"
)

// The keys of turns: one that has them kept, and may not use every model; one of another tenant.
const (
	storeKey   = "sk-ais-storing1-kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
	foreignKey = "sk-ais-storing2-kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
)

const storeKeys = `  - {name: storing, key: ` + storeKey + `, models: ["mock/*"], store: 24h}
  - {name: other, key: ` + foreignKey + `, workspace: other, store: 24h}
`

// failed gives the status and the message of a call that must fail.
func failed(t *testing.T, err error) (int, string) {
	t.Helper()
	var refused *openai.Error
	if !errors.As(err, &refused) {
		t.Fatalf("the call was not refused: %v", err)
	}
	return refused.StatusCode, refused.Message
}

// lastBody gives the body of the last call that went to the emulator.
func (r *running) lastBody(t *testing.T) string {
	t.Helper()
	calls := r.mock.Calls()
	return string(calls[len(calls)-1].Body)
}

// OpenAI's own client goes on with responses and conversations that the gateway keeps, with models
// of Anthropic's and Gemini's language.
func TestGoClient_Turns(t *testing.T) {
	t.Setenv("AISTRALE_MASTER_KEY", masterKey('m'))
	r := start(t, storeKeys)
	client := goClient(r, storeKey)
	for _, model := range translatedModels {
		name := strings.TrimPrefix(model, "mock/")
		t.Run("previous/"+name, func(t *testing.T) { goTurnsPrevious(t, r, client, model) })
		t.Run("tools/"+name, func(t *testing.T) { goTurnsTools(t, client, model) })
		t.Run("conversation/"+name, func(t *testing.T) { goTurnsConversation(t, r, client, model) })
	}
	t.Run("stream", func(t *testing.T) { goTurnsStream(t, client) })
	t.Run("objects", func(t *testing.T) { goTurnsObjects(t, client) })
	t.Run("refused", func(t *testing.T) { goTurnsRefused(t, r, client) })
	t.Run("tenants", func(t *testing.T) { goTurnsTenants(t, r, client) })
	t.Run("restart", func(t *testing.T) { goTurnsRestart(t, r, client) })
}

func goOn(model, text, previous string) responses.ResponseNewParams {
	ask := respond(model, text)
	ask.PreviousResponseID = openai.String(previous)
	return ask
}

func goTurnsPrevious(t *testing.T, r *running, client openai.Client, model string) {
	ask := respond(model, "My name is Ann.")
	ask.Instructions = openai.String("Be brief at first.")
	first, err := client.Responses.New(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if !gjson.Get(first.RawJSON(), "store").Bool() {
		t.Errorf("first: %s", first.RawJSON())
	}
	counted, err := client.Responses.InputTokens.Count(t.Context(), responses.InputTokenCountParams{
		Model: openai.String(model), PreviousResponseID: openai.String(first.ID), Input: responses.InputTokenCountParamsInputUnion{OfString: openai.String("What is my name?")},
	})
	if err != nil {
		t.Fatal(err)
	}
	second, err := client.Responses.New(t.Context(), goOn(model, "What is my name?", first.ID))
	if err != nil {
		t.Fatal(err)
	}
	if counted.InputTokens <= first.Usage.InputTokens { // the past is in it
		t.Errorf("counted %s, of which the first call took %d", counted.RawJSON(), first.Usage.InputTokens)
	}
	body := r.lastBody(t)
	at := -1
	for _, said := range []string{"My name is Ann.", first.OutputText(), "What is my name?"} {
		quoted, _ := json.Marshal(said)
		next := strings.Index(body, strings.Trim(string(quoted), `"`))
		if next <= at {
			t.Fatalf("%q is not in its place: %s", said, body)
		}
		at = next
	}
	if strings.Contains(body, "Be brief at first") {
		t.Errorf("earlier instructions were sent again: %s", body)
	}
	if second.PreviousResponseID != first.ID || second.Usage.InputTokens <= first.Usage.InputTokens {
		t.Errorf("second: %s", second.RawJSON())
	}
	// A model of another provider goes on, and one call that leaves nothing behind.
	ask = goOn("mock/gemini", "And now?", second.ID)
	ask.Store = openai.Bool(false)
	third, err := client.Responses.New(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if body = r.lastBody(t); !strings.Contains(body, "My name is Ann.") || !strings.Contains(body, "What is my name?") {
		t.Errorf("by way of Gemini: %s", body)
	}
	if _, err := client.Responses.Get(t.Context(), third.ID, responses.ResponseGetParams{}); err == nil {
		t.Error("a response that was not to be stored is there")
	}
}

func goTurnsTools(t *testing.T, client openai.Client, model string) {
	ask := respond(model, "Please use the tool.")
	ask.Tools = []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{
		Name: "get_weather", Strict: openai.Bool(false),
		Parameters: map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"}},
	}}}
	first, err := client.Responses.New(t.Context(), ask, told("thinking=1"))
	if err != nil {
		t.Fatal(err)
	}
	var items responses.ResponseInputParam
	for _, item := range first.Output {
		if item.Type == "function_call" {
			answer := responses.ResponseInputItemParamOfFunctionCallOutput("it rains")
			answer.OfFunctionCallOutput.CallID = openai.String(item.CallID)
			items = append(items, answer)
		}
	}
	if len(items) == 0 {
		t.Fatalf("no call: %s", first.RawJSON())
	}
	ask.PreviousResponseID, ask.Input = openai.String(first.ID), responses.ResponseNewParamsInputUnion{OfInputItemList: items}
	second, err := client.Responses.New(t.Context(), ask, told("thinking=1")) // the emulator wants signatures back
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(second.OutputText(), "it rains") {
		t.Errorf("%s", second.RawJSON())
	}
}

func goTurnsConversation(t *testing.T, r *running, client openai.Client, model string) {
	c, err := client.Conversations.New(t.Context(), conversations.ConversationNewParams{
		Items: []responses.ResponseInputItemUnionParam{responses.ResponseInputItemParamOfMessage("My name is Ann.", responses.EasyInputMessageRoleUser)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := respond(model, "Hello.")
	ask.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(c.ID)}
	if _, err := client.Responses.New(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	ask = respond(model, "What is my name?")
	ask.Conversation = responses.ResponseNewParamsConversationUnion{OfConversationObject: &responses.ResponseConversationParam{ID: c.ID}}
	last, err := client.Responses.New(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if last.Conversation.ID != c.ID {
		t.Errorf("%s", last.RawJSON())
	}
	if body := r.lastBody(t); strings.Count(body, "My name is Ann.") != 1 || !strings.Contains(body, "Hello.") {
		t.Errorf("%s", body)
	}
	pager := client.Conversations.Items.ListAutoPaging(t.Context(), c.ID, conversations.ItemListParams{Limit: openai.Int(2), Order: "asc"})
	var said []string
	var ids []string
	for pager.Next() {
		item := pager.Current()
		said, ids = append(said, gjson.Get(item.RawJSON(), "content.0.text").Str), append(ids, item.ID)
	}
	if err := pager.Err(); err != nil || len(said) != 5 || said[0] != "My name is Ann." || said[1] != "Hello." || said[3] != "What is my name?" || said[4] != last.OutputText() {
		t.Fatalf("%v: %q", err, said)
	}
	if _, err := client.Conversations.Items.Delete(t.Context(), c.ID, ids[1]); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Conversations.Items.Get(t.Context(), c.ID, ids[1], conversations.ItemGetParams{}); err == nil {
		t.Error("a deleted item is there")
	}
	if item, err := client.Conversations.Items.Get(t.Context(), c.ID, ids[0], conversations.ItemGetParams{}); err != nil || item.ID != ids[0] {
		t.Errorf("%v: %+v", err, item)
	}
	added, err := client.Conversations.Items.New(t.Context(), c.ID, conversations.ItemNewParams{
		Items: []responses.ResponseInputItemUnionParam{responses.ResponseInputItemParamOfMessage("One more.", responses.EasyInputMessageRoleUser)},
	})
	if err != nil || len(added.Data) != 1 {
		t.Fatalf("%v: %+v", err, added)
	}
	// An item by its id stands in a call of its own.
	ask = respond(model, "")
	ask.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		responses.ResponseInputItemParamOfItemReference(ids[0]), responses.ResponseInputItemParamOfItemReference(last.Output[0].ID),
		responses.ResponseInputItemParamOfMessage("Again?", responses.EasyInputMessageRoleUser),
	}}
	if _, err := client.Responses.New(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	if body := r.lastBody(t); !strings.Contains(body, "My name is Ann.") || strings.Contains(body, "One more.") {
		t.Errorf("%s", body)
	}
	changed, err := client.Conversations.Update(t.Context(), c.ID, conversations.ConversationUpdateParams{Metadata: map[string]string{"topic": "names"}})
	if err != nil || !strings.Contains(changed.RawJSON(), `"topic":"names"`) {
		t.Errorf("%v: %s", err, changed.RawJSON())
	}
	gone, err := client.Conversations.Delete(t.Context(), c.ID)
	if err != nil || !gone.Deleted {
		t.Fatalf("%v: %+v", err, gone)
	}
	_, err = client.Conversations.Get(t.Context(), c.ID)
	if status, _ := failed(t, err); status != http.StatusNotFound {
		t.Errorf("a deleted conversation: %d", status)
	}
}

// So does OpenAI's client for Node.js.
func TestTurnsClient(t *testing.T) {
	needNode(t)
	t.Setenv("AISTRALE_MASTER_KEY", masterKey('m'))
	t.Setenv("AISTRALE_STORE_KEY", storeKey)
	r := start(t, storeKeys)
	runNode(t, r, respondFolder, "turns.mjs", 2*3)
}

// Whose clients a count is for, OpenAI's own answers it.
func TestCountOfOpenAI(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	for _, ask := range []struct{ path, body, member string }{
		{"/v1/responses/input_tokens", `{"model":"mock/gpt","input":"one two three"}`, "input_tokens"},
		{"/anthropic/v1/messages/count_tokens", `{"model":"mock/gpt","messages":[{"role":"user","content":"one two three"}]}`, "input_tokens"},
		{"/gemini/v1beta/models/mock/gpt:countTokens", `{"contents":[{"role":"user","parts":[{"text":"one two three"}]}]}`, "totalTokens"},
		{"/v1/responses/input_tokens", `{"model":"mock/gemini","input":"one two three","max_output_tokens":5}`, "input_tokens"},
	} {
		status, body := r.post(t, ask.path, fullKey, strings.NewReader(ask.body))
		if n := gjson.Get(body, ask.member).Int(); status != http.StatusOK || n < 3 {
			t.Errorf("%s %s: %d %s", ask.path, ask.body, status, body)
		}
	}
	for _, c := range r.mock.Calls() {
		if strings.Contains(c.URI, "input_tokens") && strings.Contains(string(c.Body), "max_") {
			t.Errorf("%s was told %s", c.URI, c.Body)
		}
	}
}

// A stream is kept before its end is told, also one that its bound ended; it can be played again.
func goTurnsStream(t *testing.T, client openai.Client) {
	for _, most := range []int64{0, 5} {
		ask := respond("mock/claude", "Say hello.")
		if most > 0 {
			ask.MaxOutputTokens = openai.Int(most)
		}
		stream := client.Responses.NewStreaming(t.Context(), ask, told("thinking=1"))
		var last responses.ResponseStreamEventUnion
		for stream.Next() {
			last = stream.Current()
		}
		if err := stream.Err(); err != nil {
			t.Fatal(err)
		}
		kept, err := client.Responses.Get(t.Context(), last.Response.ID, responses.ResponseGetParams{})
		if err != nil {
			t.Fatal(err)
		}
		if kept.RawJSON() != last.Response.RawJSON() || most > 0 && kept.Status != "incomplete" {
			t.Errorf("kept %s\nsaid %s", kept.RawJSON(), last.Response.RawJSON())
		}
		again := client.Responses.GetStreaming(t.Context(), kept.ID, responses.ResponseGetParams{StartingAfter: openai.Int(1)},
			option.WithQuery("stream", "true")) // which this client puts into a body
		text, want := "", int64(2)
		for ; again.Next(); want++ {
			ev := again.Current()
			if ev.SequenceNumber != want {
				t.Fatalf("event %s has the number %d, want %d", ev.Type, ev.SequenceNumber, want)
			}
			if ev.Type == "response.output_text.delta" {
				text += ev.Delta
			}
			last = ev
		}
		if err := again.Err(); err != nil || text != kept.OutputText() || last.Response.RawJSON() != kept.RawJSON() {
			t.Errorf("%v: %q, at last %s", err, text, last.RawJSON())
		}
	}
}

func goTurnsObjects(t *testing.T, client openai.Client) {
	ask := respond("mock/claude", "")
	var items responses.ResponseInputParam
	for _, text := range []string{"one", "two", "three"} {
		items = append(items, responses.ResponseInputItemParamOfMessage(text, responses.EasyInputMessageRoleUser))
	}
	ask.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: items}
	first, err := client.Responses.New(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	pager := client.Responses.InputItems.ListAutoPaging(t.Context(), first.ID, responses.InputItemListParams{Limit: openai.Int(2)})
	for pager.Next() {
		said = append(said, gjson.Get(pager.Current().RawJSON(), "content.0.text").Str)
	}
	if err := pager.Err(); err != nil || strings.Join(said, " ") != "three two one" {
		t.Errorf("%v: %q", err, said)
	}
	_, err = client.Responses.Cancel(t.Context(), first.ID)
	if status, text := failed(t, err); status != http.StatusBadRequest || !strings.Contains(text, "Cannot cancel a synchronous response.") {
		t.Errorf("cancel: %d %s", status, text)
	}
	second, err := client.Responses.New(t.Context(), goOn("mock/claude", "four", first.ID))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Responses.Delete(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	_, err = client.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{})
	if status, _ := failed(t, err); status != http.StatusNotFound {
		t.Errorf("a deleted response: %d", status)
	}
	_, err = client.Responses.New(t.Context(), goOn("mock/claude", "five", second.ID))
	if status, text := failed(t, err); status != http.StatusBadRequest || !strings.Contains(text, first.ID) {
		t.Errorf("going on without what was deleted: %d %s", status, text)
	}
}

func goTurnsRefused(t *testing.T, r *running, client openai.Client) {
	here, err := client.Responses.New(t.Context(), respond("mock/claude", "Hello."))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Responses.New(t.Context(), goOn("mock/gpt", "More.", here.ID))
	if status, text := failed(t, err); status != http.StatusBadRequest || !strings.Contains(text, "keeps its own responses") {
		t.Errorf("to OpenAI's language: %d %s", status, text)
	}
	full := goClient(r, fullKey) // whose turns are not kept
	there, err := full.Responses.New(t.Context(), respond("mock/gpt", "Hello."))
	if err != nil {
		t.Fatal(err)
	}
	_, err = full.Responses.New(t.Context(), goOn("mock/claude", "More.", there.ID))
	if status, text := failed(t, err); status != http.StatusBadRequest || !strings.Contains(text, "is kept by the provider") {
		t.Errorf("from OpenAI's language: %d %s", status, text)
	}
	_, err = full.Responses.New(t.Context(), goOn("mock/claude", "More.", here.ID))
	if status, text := failed(t, err); status != http.StatusBadRequest || !strings.Contains(text, "setting `store`") {
		t.Errorf("a key without the setting: %d %s", status, text)
	}
	ask := respond("mock/claude", "Hello.")
	got, err := full.Responses.New(t.Context(), ask)
	if err != nil || gjson.Get(got.RawJSON(), "store").Raw != "false" {
		t.Errorf("%v: %s", err, got.RawJSON())
	}
	ask.Store = openai.Bool(true)
	_, err = full.Responses.New(t.Context(), ask)
	if status, text := failed(t, err); status != http.StatusBadRequest || !strings.Contains(text, "setting `store`") {
		t.Errorf("store without the setting: %d %s", status, text)
	}
	ask = goOn("mock/claude", "More.", here.ID)
	ask.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String("conv_1")}
	if _, err := client.Responses.New(t.Context(), ask); err == nil {
		t.Error("a response and a conversation at once were taken")
	}
}
