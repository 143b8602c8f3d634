package main_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/aistrale/aistrale/storage"
)

// Files and caches by Google's client; another workspace sees nothing of them.
func TestGenaiClient_Objects(t *testing.T) {
	t.Parallel()
	needNode(t)
	p := newPlace(t)
	g := p.serve(t, fmt.Sprintf(`listen: "127.0.0.1:0"
admin_listen: "127.0.0.1:0"
data_dir: %s
providers: [{name: mock, api_keys: [{name: a, key: key-a}, {name: b, key: key-b}]}]
keys:
  - {name: mine, key: %s, workspace: one}
  - {name: other, key: %s, workspace: two}
`, filepath.Join(p.dir, "data"), fullKey, narrowKey))
	runNode(t, &running{url: g.url}, genaiFolder, "objects.mjs", 6)
}

// A file, a batch that uses it, its results and its cost, by Anthropic's client; another workspace
// sees nothing of them.
func TestGoAnthropicClient_Objects(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	g := p.serve(t, strings.Replace(tenantsConfig(p), "prices:", `prices:
  - {model: mock/claude, input: "1", output: "2"}
  - {model: mock/claude, tier: batch, input: "0.5", output: "1"}`, 1))
	ctx := t.Context()
	connect := func(key string) anthropic.Client {
		return anthropic.NewClient(option.WithBaseURL(g.url+"/anthropic"), option.WithAPIKey(key), option.WithMaxRetries(0))
	}
	mine, sibling, other := connect(tenantKey), connect(siblingKey), connect(otherKey)
	hidden := func(what string, err error) {
		t.Helper()
		var refused *anthropic.Error
		if !errors.As(err, &refused) || refused.StatusCode != http.StatusNotFound {
			t.Errorf("%s: another tenant got %v, want a 404", what, err)
		}
	}

	file := must[*anthropic.BetaFileMetadata](t)(mine.Beta.Files.Upload(ctx, anthropic.BetaFileUploadParams{
		File: anthropic.File(strings.NewReader("a text"), "a.txt", "text/plain"), Betas: []anthropic.AnthropicBeta{anthropic.AnthropicBetaFilesAPI2025_04_14},
	}))
	if file.SizeBytes != 6 || file.Filename != "a.txt" || file.MimeType != "text/plain" {
		t.Errorf("the file: %s", file.RawJSON())
	}
	content := must[*http.Response](t)(sibling.Beta.Files.Download(ctx, file.ID, anthropic.BetaFileDownloadParams{}))
	if text := string(must[[]byte](t)(io.ReadAll(content.Body))); text != "a text" {
		t.Errorf("the content is %q", text)
	}
	_, err := other.Beta.Files.GetMetadata(ctx, file.ID, anthropic.BetaFileGetMetadataParams{})
	hidden("a file", err)
	_, err = other.Beta.Files.Download(ctx, file.ID, anthropic.BetaFileDownloadParams{})
	hidden("a file's content", err)
	count := func(c anthropic.Client) (n int) {
		t.Helper()
		pages := c.Beta.Files.ListAutoPaging(ctx, anthropic.BetaFileListParams{})
		for pages.Next() {
			n++
		}
		if err := pages.Err(); err != nil {
			t.Error(err)
		}
		return n
	}
	if n := count(mine); n != 1 {
		t.Errorf("the tenant lists %d files", n)
	}
	if n := count(other); n != 0 {
		t.Errorf("another tenant lists %d files", n)
	}

	about := anthropic.MessageBatchNewParams{Requests: []anthropic.MessageBatchNewParamsRequest{{CustomID: "a", Params: anthropic.MessageBatchNewParamsRequestParams{
		Model: "claude", MaxTokens: 100, Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))},
	}}}}
	about.Requests = append(about.Requests, about.Requests[0])
	about.Requests[1].CustomID = "b"
	batch := must[*anthropic.MessageBatch](t)(mine.Messages.Batches.New(ctx, about))
	_, err = other.Messages.Batches.Get(ctx, batch.ID, anthropic.MessageBatchGetParams{})
	hidden("a batch", err)
	batch = must[*anthropic.MessageBatch](t)(sibling.Messages.Batches.Get(ctx, batch.ID, anthropic.MessageBatchGetParams{}))
	if batch.ProcessingStatus != anthropic.MessageBatchProcessingStatusEnded || batch.ResultsURL != g.url+"/anthropic/v1/messages/batches/"+batch.ID+"/results" {
		t.Fatalf("the batch: %s", batch.RawJSON())
	}
	unseen := other.Messages.Batches.ResultsStreaming(ctx, batch.ID, anthropic.MessageBatchResultsParams{})
	for unseen.Next() {
		t.Error("another tenant reads a result")
	}
	hidden("a batch's results", unseen.Err())
	var input, output int64
	results := mine.Messages.Batches.ResultsStreaming(ctx, batch.ID, anthropic.MessageBatchResultsParams{})
	for results.Next() {
		usage := results.Current().Result.Message.Usage
		input, output = input+usage.InputTokens, output+usage.OutputTokens
	}
	if err := results.Err(); err != nil || input == 0 || output == 0 {
		t.Fatalf("%d and %d tokens: %v", input, output, err)
	}
	must[*anthropic.DeletedMessageBatch](t)(mine.Messages.Batches.Delete(ctx, batch.ID, anthropic.MessageBatchDeleteParams{}))
	_, err = sibling.Messages.Batches.Get(ctx, batch.ID, anthropic.MessageBatchGetParams{})
	hidden("a batch that is gone", err)
	must[*anthropic.BetaDeletedFile](t)(mine.Beta.Files.Delete(ctx, file.ID, anthropic.BetaFileDeleteParams{}))

	p.asks(t, "0.input_tokens", fmt.Sprint(input), "--by", "key")
	p.asks(t, "0.cost_usd", storage.FormatUSD(input*500+output*1000), "--by", "key")
}
