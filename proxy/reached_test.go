package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// What a response makes by itself (a container, a file) is its maker's before the client hears of
// it, whole or streamed, whichever event tells of it; words of the model's make nothing.
func TestStored_MadeByReplies(t *testing.T) {
	const (
		openAIItem = `{"type":"code_interpreter_call","id":"ci_1","status":"completed","container_id":"cntr_1","code":"x","outputs":[]}`
		openAIText = `{"type":"message","id":"msg_1","content":[{"type":"output_text","text":"\"container_id\":\"cntr_no\"","annotations":[{"type":"container_file_citation","container_id":"cntr_2","file_id":"cfile_1"}]}]}`
		openAIEcho = `"tools":[{"type":"function","parameters":{"container_id":"cntr_no"}}],"metadata":{"container_id":"cntr_no"}`
		shell      = `{"type":"shell_call","id":"sh_1","environment":{"type":"container_reference","container_id":"cntr_3"}}`
		claudeCode = `{"type":"bash_code_execution_tool_result","tool_use_id":"s","content":{"type":"bash_code_execution_result","content":[{"type":"bash_code_execution_output","file_id":"file_1"},{"type":"bash_code_execution_output","file_id":"file_2"}]}}`
		claudeTool = `{"type":"tool_use","id":"t","name":"n","input":{"file_id":"file_no","content":{"content":[{"file_id":"file_no"}]}}}`
		claudeBox  = `"container":{"id":"container_1","expires_at":"2100-01-01T00:00:00Z","skills":[]}`
	)
	response := func(id string) string {
		return `{"id":"` + id + `","object":"response","status":"completed","model":"m","output":[` + openAIItem + `,` + openAIText + `,` + shell + `],` + openAIEcho + `,"usage":{"input_tokens":1,"output_tokens":1}}`
	}
	event := func(kind, rest string) string {
		return "event: " + kind + "\ndata: {\"type\":\"" + kind + "\"," + rest + "}\n\n"
	}
	begun := event("response.created", `"sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"m","output":[],`+openAIEcho+`}`)
	f := func(name, path, ask, answer string, want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			stream := strings.HasPrefix(answer, "event: ")
			w := newLargeTenants(t, func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("content-type", map[bool]string{true: "text/event-stream", false: "application/json"}[stream])
				if r.Method == http.MethodGet {
					_, _ = io.WriteString(rw, response("resp_0"))
					return
				}
				_, _ = io.WriteString(rw, answer)
			})
			if status, body := w.ask(t, mine, http.MethodPost, path, ask); status != http.StatusOK || body != answer {
				t.Fatalf("%d %s", status, body)
			}
			w.shelf.mu.Lock()
			var got []string
			for _, o := range w.shelf.all {
				got = append(got, string(o.Kind)+" "+o.ID)
				if o.Workspace != "mine" || strings.HasPrefix(o.ID, "container_") != (o.ExpiresAt != nil) {
					t.Errorf("claimed: %+v", o)
				}
			}
			w.shelf.mu.Unlock()
			if strings.Join(got, ", ") != strings.Join(want, ", ") {
				t.Errorf("claimed %q, want %q", got, want)
			}
		})
	}
	const ask, asks = `{"model":"openai/m","input":"hi"}`, `{"model":"openai/m","input":"hi","stream":true}`
	all := []string{"container cntr_1", "container cntr_3", "container cntr_2", "item ci_1", "item msg_1", "item sh_1", "response resp_1"}
	f("responses", "/v1/responses", ask, response("resp_1"), all...)
	f("responses, item", "/v1/responses", asks, begun+event("response.output_item.added", `"item":`+openAIItem)+event("response.completed", `"response":`+response("resp_1")),
		"response resp_1", "container cntr_1", "container cntr_3", "container cntr_2", "item ci_1", "item msg_1", "item sh_1")
	f("responses, shell", "/v1/responses", asks, begun+event("response.output_item.done", `"item":`+shell)+event("response.completed", `"response":{"id":"resp_1","output":[]}`),
		"response resp_1", "container cntr_3")
	f("responses, annotation", "/v1/responses", asks, begun+event("response.output_text.annotation.added", `"annotation":{"type":"container_file_citation","container_id":"cntr_2"}`)+
		event("response.output_text.delta", `"delta":"\"container_id\":\"cntr_no\""`)+event("response.completed", `"response":{"id":"resp_1","output":[]}`),
		"response resp_1", "container cntr_2")

	message := `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[` + claudeCode + `,` + claudeTool + `],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1},` + claudeBox + `}`
	const askClaude = `{"model":"anthropic/m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`
	f("messages", "/anthropic/v1/messages", askClaude, message, "container container_1", "file file_1", "file file_2")
	f("messages, streamed", "/anthropic/v1/messages", strings.Replace(askClaude, `{`, `{"stream":true,`, 1),
		event("message_start", `"message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"container":null,"usage":{"input_tokens":1,"output_tokens":1}}`)+
			event("content_block_start", `"index":0,"content_block":`+claudeCode)+event("content_block_stop", `"index":0`)+
			event("content_block_start", `"index":1,"content_block":`+claudeTool)+event("content_block_stop", `"index":1`)+
			event("message_delta", `"delta":{"stop_reason":"end_turn",`+claudeBox+`},"usage":{"output_tokens":1}`)+event("message_stop", `"x":1`),
		"file file_1", "file file_2", "container container_1")
}

// A response that was made in the background tells of its containers when it is asked for; then
// they are the tenant's, and their files with them.
func TestStored_MadeInTheBackground(t *testing.T) {
	w := newTenants(t)
	w.own("mine", "two", providers.ObjectResponse, "resp_1")
	w.up.answers(func(*http.Request) string {
		return `{"id":"resp_1","object":"response","status":"completed","output":[{"type":"code_interpreter_call","container_id":"cntr_1"}]}`
	})
	const content = "/v1/containers/cntr_1/files/cfile_1/content"
	if status, _ := w.ask(t, mine, http.MethodGet, content, ""); status != http.StatusNotFound {
		t.Errorf("before: %d", status)
	}
	if status, body := w.ask(t, mine, http.MethodGet, "/v1/responses/resp_1", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	w.up.calls()
	if status, body := w.ask(t, also, http.MethodGet, content, ""); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	if calls := w.up.calls(); len(calls) != 1 || calls[0] != "openai-two GET /containers/cntr_1/files/cfile_1/content" {
		t.Errorf("asked %q", calls)
	}
	if status, _ := w.ask(t, theirs, http.MethodGet, content, ""); status != http.StatusNotFound {
		t.Errorf("another tenant: %d", status)
	}
}

// A stream whose object cannot be written down ends before it tells of it.
func TestStored_UnclaimedInAStream(t *testing.T) {
	w := newLargeTenants(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"output\":[]}}\n\n"+
			"data: {\"type\":\"response.output_text.delta\",\"delta\":\"hi\"}\n\n"+
			"data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"code_interpreter_call\",\"container_id\":\"cntr_1\"}}\n\n")
	})
	w.own("theirs", "one", providers.ObjectContainer, "cntr_1")
	w.own("theirs", "two", providers.ObjectContainer, "cntr_1")
	status, body := w.ask(t, mine, http.MethodPost, "/v1/responses", `{"model":"openai/m","input":"hi","stream":true}`)
	if status != http.StatusOK || strings.Contains(body, "cntr_1") || !strings.Contains(body, "error") || !strings.Contains(body, `"hi"`) {
		t.Errorf("%d %s", status, body)
	}
}
