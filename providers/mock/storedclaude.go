package mock

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
)

// What Anthropic keeps.
// Source: https://docs.claude.com/en/api/files-create and .../creating-message-batches
const (
	claudeFiles   = "/v1/files"
	claudeBatches = "/v1/messages/batches"
)

// answerClaude answers a call about a file or a batch.
func (w *errand) answerClaude() (body []byte, contentType string, refused *refusal) {
	kind, begin, steps := "claude.file", "file_", w.steps[1:]
	if w.steps[0] == "messages" {
		kind, begin, steps = "claude.batch", "msgbatch_", w.steps[2:]
	}
	if len(steps) == 0 {
		if w.method == http.MethodGet {
			return w.listClaude(kind), jsonType, nil
		}
		t, refused := w.makeClaude(kind, begin)
		if refused != nil {
			return nil, "", refused
		}
		return t.json(), jsonType, nil
	}
	t := w.shelf.find(kind, steps[0], "")
	switch {
	case t == nil:
		return nil, "", &refusal{status: http.StatusNotFound, message: "No such object: " + steps[0]}
	case len(steps) > 1:
		return w.actClaude(t, steps[1])
	case w.method == http.MethodDelete:
		w.shelf.remove(t)
		gone := map[string]string{"claude.file": "file_deleted", "claude.batch": "message_batch_deleted"}[kind]
		return fmt.Appendf(nil, `{"id":%q,"type":%q}`, t.id, gone), jsonType, nil
	}
	w.workOffClaude(t)
	return t.json(), jsonType, nil
}

func (w *errand) listClaude(kind string) []byte {
	list := gjson.ParseBytes(w.list(kind, "")).Get("data").Raw
	return []byte(`{"data":` + list + `,"has_more":false,"first_id":null,"last_id":null}`)
}

func (w *errand) makeClaude(kind, begin string) (*thing, *refusal) {
	now := w.server.options.Now().UTC()
	if kind == "claude.file" {
		_, head, content, refused := w.formFile()
		if refused != nil {
			return nil, refused
		}
		t := w.shelf.add(kind, begin, "")
		t.content = content
		t.text("type", "file")
		t.text("created_at", now.Format(time.RFC3339))
		t.text("filename", head.Filename)
		t.text("mime_type", head.Header.Get("Content-Type"))
		t.set("size_bytes", strconv.AppendInt(nil, int64(len(content)), 10))
		t.set("downloadable", []byte("false"))
		return t, nil
	}
	calls := w.doc.Get("requests")
	if !calls.IsArray() || len(calls.Array()) == 0 {
		return nil, invalid("requests", "requests: must be a list of at least one request")
	}
	t := w.shelf.add(kind, begin, "")
	t.calls = calls.Raw
	t.text("type", "message_batch")
	t.text("processing_status", "in_progress")
	t.set("request_counts", fmt.Appendf(nil, `{"processing":%d,"succeeded":0,"errored":0,"canceled":0,"expired":0}`, len(calls.Array())))
	t.text("created_at", now.Format(time.RFC3339))
	t.text("expires_at", now.Add(24*time.Hour).Format(time.RFC3339))
	for _, name := range []string{"ended_at", "cancel_initiated_at", "archived_at", "results_url"} {
		t.set(name, []byte("null"))
	}
	return t, nil
}

func (w *errand) actClaude(t *thing, word string) ([]byte, string, *refusal) {
	switch word {
	case "content":
		return t.content, "application/octet-stream", nil
	case "results":
		if t.content == nil {
			return nil, "", &refusal{status: http.StatusNotFound, message: "The batch has no results yet."}
		}
		return t.content, "application/x-jsonl", nil
	case "cancel":
		t.text("processing_status", "canceling")
		return t.json(), jsonType, nil
	}
	return nil, "", &refusal{status: http.StatusNotFound}
}

// workOffClaude makes the calls of a batch, when it is looked at for the first time. Where its
// results are, it says as Anthropic does.
func (w *errand) workOffClaude(t *thing) {
	if t.kind != "claude.batch" || t.content != nil {
		return
	}
	t.content = []byte{}
	served, failed := 0, 0
	for _, call := range gjson.Parse(t.calls).Array() {
		raw := call.Get("params")
		t.content = providers.AppendString(append(t.content, `{"custom_id":`...), call.Get("custom_id").Str)
		a, refused := readMessages(&request{body: []byte(raw.Raw), doc: raw})
		if refused != nil {
			failed++
			kind, message := anthropicError(refused)
			t.content = providers.AppendString(append(t.content, `,"result":{"type":"errored","error":{"type":"error","error":{"type":`...), kind)
			t.content = providers.AppendString(append(t.content, `,"message":`...), message)
			t.content = append(t.content, "}}}}\n"...)
			continue
		}
		served++
		ans := compose(a, &w.behaviour)
		t.content = writeMessage(append(t.content, `,"result":{"type":"succeeded","message":`...), a, ans)
		t.content = append(t.content, "}}\n"...)
		w.server.bill.add(BillLine{Model: a.model, Calls: 1, Input: ans.usage.input, Output: ans.usage.output})
	}
	t.text("processing_status", "ended")
	t.set("request_counts", fmt.Appendf(nil, `{"processing":0,"succeeded":%d,"errored":%d,"canceled":0,"expired":0}`, served, failed))
	t.text("ended_at", w.server.options.Now().UTC().Format(time.RFC3339))
	t.text("results_url", "https://api.anthropic.com"+claudeBatches+"/"+t.id+"/results")
}
