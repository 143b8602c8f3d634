package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// A response that OpenAI keeps is its maker's: it can be continued there alone, by the account
// that has it. One that the client does not want kept is nobody's.
func TestStored_Responses(t *testing.T) {
	w := newTenants(t)
	whole := `{"id":"resp_1","object":"response","status":"completed","model":"gpt","output":[],"usage":{"input_tokens":1,"output_tokens":1}}`
	w.up.answers(func(*http.Request) string { return whole })
	ask := func(key int, body string) (int, string) {
		t.Helper()
		return w.ask(t, key, http.MethodPost, "/v1/responses", body)
	}
	if status, body := ask(mine, `{"model":"openai/gpt","input":"Hi","store":false}`); status != http.StatusOK || body != whole || w.shelf.find("resp_1") != nil {
		t.Fatalf("%d %s: %+v", status, body, w.shelf.find("resp_1"))
	}
	if status, body := ask(mine, `{"model":"openai/gpt","input":"Hi"}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	o := w.shelf.find("resp_1")
	if o == nil || o.Workspace != "mine" || o.Kind != providers.ObjectResponse {
		t.Fatalf("claimed: %+v", o)
	}
	w.up.calls()
	for range 4 { // whichever of the two accounts would have its turn
		if status, body := ask(also, `{"model":"openai/gpt","input":"More","previous_response_id":"resp_1"}`); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	for _, call := range w.up.calls() {
		if !strings.HasPrefix(call, "openai-"+o.Credential+" POST /responses") {
			t.Errorf("asked %s", call)
		}
	}
	if status, body := ask(theirs, `{"model":"openai/gpt","input":"More","previous_response_id":"resp_1"}`); status != http.StatusNotFound {
		t.Errorf("another tenant: %d %s", status, body)
	}
}

// A kept response can be read as a stream, from where the client says, in OpenAI's own bytes. It
// was billed when it was made.
func TestStored_ResponsesAsStreams(t *testing.T) {
	events := `event: response.output_text.delta` + "\n" +
		`data: {"type":"response.output_text.delta","sequence_number":8,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"hi","logprobs":[]}` + "\n\n" +
		`event: response.completed` + "\n" +
		`data: {"type":"response.completed","sequence_number":9,"response":{"id":"resp_1","object":"response","status":"completed","model":"gpt","output":[],"usage":{"input_tokens":1,"output_tokens":1}}}` + "\n\n"
	w := newLargeTenants(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("content-type", "text/event-stream")
		if r.URL.RawQuery != "stream=true&starting_after=7" || r.Header.Get("accept") != "text/event-stream" {
			t.Errorf("asked for %s as %s", r.URL, r.Header.Get("accept"))
		}
		_, _ = io.WriteString(w, events)
	})
	w.own("mine", "one", providers.ObjectResponse, "resp_1")
	w.own("mine", "one", providers.ObjectFile, "file-1")
	const path = "/v1/responses/resp_1?stream=true&starting_after=7"
	resp := w.open(t, http.MethodGet, path)
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != events || !strings.HasPrefix(resp.Header.Get("content-type"), "text/event-stream") || resp.Header.Get("x-aistrale-fidelity") != "exact" {
		t.Errorf("%v, %v, %s", err, resp.Header, body)
	}
	if rec := w.records.next(t); !rec.Stream || rec.Outcome != storage.OutcomeOK || len(rec.Usage.Lines) > 0 || *rec.CostNano != 0 {
		t.Errorf("record %+v", rec)
	}
	if status, body := w.ask(t, theirs, http.MethodGet, path, ""); status != http.StatusNotFound {
		t.Errorf("another tenant: %d %s", status, body)
	}
	if status, body := w.ask(t, mine, http.MethodGet, "/v1/files/file-1?stream=true", ""); status != http.StatusBadRequest {
		t.Errorf("a file as a stream: %d %s", status, body)
	}
}

// A kept answer tells of its object to its own workspace alone: another one's same call is made anew,
// and a call that names an object is never answered from memory.
func TestStored_KeptAnswers(t *testing.T) {
	w := newTenants(t, func(o *Options, s *Snapshot) {
		o.Replies, o.Limits.MaxCached = NewMemoryReplies(1<<20), 1<<20
		for _, k := range s.Keys.All() {
			k.Cache = time.Hour
		}
	})
	n := 0
	w.up.answers(func(*http.Request) string {
		n++
		return fmt.Sprintf(`{"id":"resp_%d","object":"response","status":"completed","model":"gpt","output":[],"usage":{"input_tokens":1,"output_tokens":1}}`, n)
	})
	f := func(key int, body string, status int, id string, calls int) {
		t.Helper()
		got, said := w.ask(t, key, http.MethodPost, "/v1/responses", body)
		if asked := w.up.calls(); got != status || len(asked) != calls || status == http.StatusOK && gjson.Get(said, "id").String() != id {
			t.Errorf("key %d: %d %s after %q, want %s", key, got, said, asked, id)
		}
	}
	const same = `{"model":"openai/gpt","input":"Hi"}`
	f(mine, same, 200, "resp_1", 1)
	f(also, same, 200, "resp_1", 0)
	f(theirs, same, 200, "resp_2", 1)
	const next = `{"model":"openai/gpt","input":"Hi","previous_response_id":"resp_1"}`
	f(mine, next, 200, "resp_3", 1)
	f(theirs, next, 404, "", 0)
	f(also, next, 200, "resp_4", 1)
}
