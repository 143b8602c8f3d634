package main_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/responses"
	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/storage"
)

const (
	tenantKey  = "sk-ais-tenant01-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	siblingKey = "sk-ais-tenant02-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	otherKey   = "sk-ais-tenant03-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
)

// tenantsConfig has two workspaces before one provider of two credentials.
func tenantsConfig(p *place) string {
	return fmt.Sprintf(`listen: "127.0.0.1:0"
admin_listen: "127.0.0.1:0"
data_dir: %s
providers: [{name: mock, api_keys: [{name: a, key: key-a}, {name: b, key: key-b}]}]
prices:
  - {model: mock/gpt, input: "1", output: "2"}
  - {model: mock/gpt, tier: batch, input: "0.5", output: "1"}
keys:
  - {name: tenant, key: %s, workspace: one}
  - {name: sibling, key: %s, workspace: one}
  - {name: other, key: %s, workspace: two}
`, filepath.Join(p.dir, "data"), tenantKey, siblingKey, otherKey)
}

// notThere fails the test where an object can be seen.
func notThere(t *testing.T, what string, err error) {
	t.Helper()
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusNotFound {
		t.Errorf("%s: another tenant got %v, want a 404", what, err)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// A file, a batch of it, its results and its cost, by OpenAI's client; another workspace sees
// nothing of them.
func TestGoClient_Objects(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.serve(t, tenantsConfig(p))
	r := &running{url: g.url}
	ctx := t.Context()
	mine, sibling, other := goClient(r, tenantKey), goClient(r, siblingKey), goClient(r, otherKey)

	const line = `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt","messages":[{"role":"user","content":"hi"}]}}` + "\n"
	file := must[*openai.FileObject](t)(mine.Files.New(ctx, openai.FileNewParams{
		File: openai.File(strings.NewReader(strings.Repeat(line, 3)), "calls.jsonl", "application/jsonl"), Purpose: openai.FilePurposeBatch,
	}))
	if file.Bytes != int64(3*len(line)) || file.Filename != "calls.jsonl" {
		t.Errorf("the file: %s", file.RawJSON())
	}
	must[*openai.FileObject](t)(sibling.Files.Get(ctx, file.ID))
	_, err := other.Files.Get(ctx, file.ID)
	notThere(t, "a file", err)
	_, err = other.Files.Content(ctx, file.ID)
	notThere(t, "a file's content", err)
	_, err = other.Files.Delete(ctx, file.ID)
	notThere(t, "deleting a file", err)
	_, err = other.Batches.New(ctx, openai.BatchNewParams{
		InputFileID: file.ID, Endpoint: openai.BatchNewParamsEndpointV1ChatCompletions, CompletionWindow: "24h",
	})
	notThere(t, "a batch of a file", err)
	if list := must[int](t)(filesOf(ctx, other)); list != 0 {
		t.Errorf("another tenant lists %d files", list)
	}
	content := must[*http.Response](t)(mine.Files.Content(ctx, file.ID))
	if text := string(must[[]byte](t)(io.ReadAll(content.Body))); text != strings.Repeat(line, 3) {
		t.Errorf("the content is %q", text)
	}

	batch := must[*openai.Batch](t)(mine.Batches.New(ctx, openai.BatchNewParams{
		InputFileID: file.ID, Endpoint: openai.BatchNewParamsEndpointV1ChatCompletions, CompletionWindow: "24h",
	}))
	_, err = other.Batches.Get(ctx, batch.ID)
	notThere(t, "a batch", err)
	batch = must[*openai.Batch](t)(sibling.Batches.Get(ctx, batch.ID))
	if batch.Status != openai.BatchStatusCompleted || batch.OutputFileID == "" {
		t.Fatalf("the batch: %s", batch.RawJSON())
	}
	_, err = other.Files.Content(ctx, batch.OutputFileID)
	notThere(t, "a batch's results", err)
	results := must[*http.Response](t)(mine.Files.Content(ctx, batch.OutputFileID))
	var input, output int64
	for result := range strings.Lines(string(must[[]byte](t)(io.ReadAll(results.Body)))) {
		usage := gjson.Get(result, "response.body.usage")
		input, output = input+usage.Get("prompt_tokens").Int(), output+usage.Get("completion_tokens").Int()
	}
	if list := must[int](t)(filesOf(ctx, mine)); list != 2 {
		t.Errorf("the tenant lists %d files, want its own and the batch's", list)
	}

	store := must[*openai.VectorStore](t)(mine.VectorStores.New(ctx, openai.VectorStoreNewParams{FileIDs: []string{file.ID}}))
	must[*openai.VectorStoreFile](t)(mine.VectorStores.Files.New(ctx, store.ID, openai.VectorStoreFileNewParams{FileID: file.ID}))
	_, err = other.VectorStores.Files.List(ctx, store.ID, openai.VectorStoreFileListParams{})
	notThere(t, "a vector store's files", err)
	conversation := must[*conversations.Conversation](t)(mine.Conversations.New(ctx, conversations.ConversationNewParams{}))
	_, err = other.Conversations.Get(ctx, conversation.ID)
	notThere(t, "a conversation", err)
	must[*openai.FileDeleted](t)(mine.Files.Delete(ctx, file.ID))
	_, err = sibling.Files.Get(ctx, file.ID)
	notThere(t, "a file that is gone", err)

	// Each call of a batch costs what its tier says.
	p.asks(t, "0.input_tokens", fmt.Sprint(input), "--by", "key")
	p.asks(t, "0.output_tokens", fmt.Sprint(output), "--by", "key")
	p.asks(t, "0.cost_usd", storage.FormatUSD(input*500+output*1000), "--by", "key")
}

// An item of a kept response is named by its own workspace alone, also when the gateway has been
// started anew. OpenAI's client leaves the type of references out. The emulator knows none, and says
// so in words of its own.
func TestGoClient_ItemReferences(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.serve(t, tenantsConfig(p))
	client := goClient(&running{url: g.url}, tenantKey)
	whole := must[*responses.Response](t)(client.Responses.New(t.Context(), respond("mock/gpt", "Hi")))
	stream := client.Responses.NewStreaming(t.Context(), respond("mock/gpt", "Hi"))
	var streamed string
	for stream.Next() {
		if end := stream.Current(); end.Type == "response.completed" {
			streamed = end.Response.Output[0].ID
		}
	}
	if err := stream.Err(); err != nil || streamed == "" {
		t.Fatalf("%v after %q", err, streamed)
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			g.stop(t)
			g = p.serve(t, tenantsConfig(p))
		}
		for _, id := range []string{whole.Output[0].ID, streamed} {
			ask := respond("mock/gpt", "")
			ask.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{responses.ResponseInputItemParamOfItemReference(id)}}
			for key, says := range map[string]string{tenantKey: "Item with id", siblingKey: "Item with id", otherKey: "No such object"} {
				client := goClient(&running{url: g.url}, key)
				_, err := client.Responses.New(t.Context(), ask)
				if status, text := failed(t, err); status != http.StatusNotFound || !strings.Contains(text, says) {
					t.Errorf("%s: %d %s, want %s", key, status, text, says)
				}
			}
		}
	}
}

func filesOf(ctx context.Context, c openai.Client) (int, error) {
	page, err := c.Files.List(ctx, openai.FileListParams{})
	if err != nil {
		return 0, err
	}
	return len(page.Data), nil
}
