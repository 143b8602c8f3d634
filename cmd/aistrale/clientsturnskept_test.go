package main_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/responses"
)

// Nobody of another workspace hears of what is kept.
func goTurnsTenants(t *testing.T, r *running, client openai.Client) {
	first, err := client.Responses.New(t.Context(), respond("mock/claude", "A secret."))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Conversations.New(t.Context(), conversations.ConversationNewParams{})
	if err != nil {
		t.Fatal(err)
	}
	other := goClient(r, foreignKey)
	named := respond("mock/claude", "")
	named.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		responses.ResponseInputItemParamOfItemReference(first.Output[0].ID),
	}}
	within := respond("mock/claude", "More.")
	within.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(c.ID)}
	for name, call := range map[string]func() error{
		"previous": func() error {
			_, err := other.Responses.New(t.Context(), goOn("mock/claude", "More.", first.ID))
			return err
		},
		"conversation": func() error { _, err := other.Responses.New(t.Context(), within); return err },
		"item":         func() error { _, err := other.Responses.New(t.Context(), named); return err },
		"get": func() error {
			_, err := other.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{})
			return err
		},
		"delete": func() error { return other.Responses.Delete(t.Context(), first.ID) },
		"cancel": func() error { _, err := other.Responses.Cancel(t.Context(), first.ID); return err },
		"input": func() error {
			_, err := other.Responses.InputItems.List(t.Context(), first.ID, responses.InputItemListParams{})
			return err
		},
		"items": func() error {
			_, err := other.Conversations.Items.List(t.Context(), c.ID, conversations.ItemListParams{})
			return err
		},
		"another kind": func() error {
			_, err := client.Responses.Get(t.Context(), c.ID, responses.ResponseGetParams{})
			return err
		},
	} {
		if status, text := failed(t, call()); status != http.StatusNotFound || strings.Contains(text, "secret") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

func goTurnsRestart(t *testing.T, r *running, client openai.Client) {
	first, err := client.Responses.New(t.Context(), respond("mock/claude", "My name is Ann."))
	if err != nil {
		t.Fatal(err)
	}
	r.stop(t)
	r.gone = make(chan struct{})
	r.run(t)
	client = goClient(r, storeKey)
	if _, err := client.Responses.New(t.Context(), goOn("mock/gemini", "What is my name?", first.ID)); err != nil {
		t.Fatal(err)
	}
	if body := r.lastBody(t); !strings.Contains(body, "My name is Ann.") {
		t.Errorf("after a restart: %s", body)
	}
}
