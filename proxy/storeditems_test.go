package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

// The items of a response, or of a conversation, that its provider keeps are its maker's, as soon
// as a reply has told of all of them: by one write, and for as long as what they stand in.
func TestStored_Items(t *testing.T) {
	const (
		whole   = `{"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"type":"reasoning","id":"rs_1","summary":[]},{"type":"message","id":"msg_1","content":[{"id":"no"}]}],"metadata":{"id":"no"},"usage":{"input_tokens":1,"output_tokens":1}}`
		listed  = `{"object":"list","data":[{"type":"message","id":"msg_2"},{"type":"message","id":"msg_3"}],"first_id":"msg_2","last_id":"msg_3","has_more":false}`
		created = `data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"m","output":[]}}` + "\n\n"
		delta   = `data: {"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"\"output\": [{\"id\":\"no\"}]"}` + "\n\n"
		item    = `data: {"type":"response.output_item.done","output_index":1,"item":{"type":"message","id":"msg_1","content":[]}}` + "\n\n"
	)
	ends := func(kind, response string) string {
		return created + delta + item + `data: {"type":"response.` + kind + `","response":` + response + "}\n\n"
	}
	f := func(name, method, path, body, answer string, writes int, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			w := newLargeTenants(t, func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("content-type", map[bool]string{true: "text/event-stream", false: "application/json"}[answer[0] == 'd'])
				_, _ = io.WriteString(rw, answer)
			})
			if strings.Contains(path, "/resp_1") {
				w.own("mine", "one", providers.ObjectResponse, "resp_1")
			}
			w.own("mine", "one", providers.ObjectConversation, "conv_1")
			if status, said := w.ask(t, mine, method, path, body); status != http.StatusOK || said != answer {
				t.Fatalf("%d %s", status, said)
			}
			var got []string
			for _, o := range w.shelf.all {
				if o.Kind != providers.ObjectItem {
					continue
				}
				got = append(got, o.ID+" of "+o.Parent)
				if o.Workspace != "mine" || o.Key == "" {
					t.Errorf("claimed: %+v", o)
				}
			}
			if strings.Join(got, ", ") != want || w.shelf.claims != writes {
				t.Errorf("claimed %q by %d writes, want %q by %d", got, w.shelf.claims, want, writes)
			}
		})
	}
	const ask, asks = `{"model":"openai/m","input":"hi"}`, `{"model":"openai/m","input":"hi","stream":true}`
	const both = "rs_1 of resp_1, msg_1 of resp_1"
	const post, get = http.MethodPost, http.MethodGet
	f("whole", post, "/v1/responses", ask, whole, 1, both)
	f("not kept", post, "/v1/responses", `{"model":"openai/m","input":"hi","store":false}`, whole, 0, "")
	f("in a conversation", post, "/v1/responses", `{"model":"openai/m","input":"hi","conversation":"conv_1"}`,
		strings.Replace(whole, `{`, `{"conversation":{"id":"conv_1"},`, 1), 1, "rs_1 of conv_1, msg_1 of conv_1")
	f("streamed", post, "/v1/responses", asks, ends("completed", whole), 2, both)
	f("cut short", post, "/v1/responses", asks, ends("incomplete", whole), 2, both)
	f("streamed, not kept", post, "/v1/responses", strings.Replace(asks, `{`, `{"store":false,`, 1), ends("completed", whole), 0, "")
	f("in the background", get, "/v1/responses/resp_1", "", whole, 1, both)
	f("in the background, streamed", get, "/v1/responses/resp_1?stream=true", "", ends("completed", whole), 1, both)
	f("cancelled", post, "/v1/responses/resp_1/cancel", "{}", whole, 1, both)
	f("its input", get, "/v1/responses/resp_1/input_items", "", listed, 1, "msg_2 of resp_1, msg_3 of resp_1")
	f("a conversation's", get, "/v1/conversations/conv_1/items", "", listed, 1, "msg_2 of conv_1, msg_3 of conv_1")
	f("added to one", post, "/v1/conversations/conv_1/items", `{"items":[]}`, listed, 1, "msg_2 of conv_1, msg_3 of conv_1")
}

// An item is named by its own tenant alone, with the account that keeps it, and no longer than the
// response is there. What is sent in full is nobody's business, whatever ids it has.
func TestStored_ItemReferences(t *testing.T) {
	w := newTenants(t)
	w.up.answers(func(r *http.Request) string {
		if r.Method == http.MethodDelete {
			return `{"id":"resp_1","object":"response","deleted":true}`
		}
		return `{"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"type":"message","id":"msg_1","content":[]}],"usage":{"input_tokens":1,"output_tokens":1}}`
	})
	if status, body := w.ask(t, mine, http.MethodPost, "/v1/responses", `{"model":"openai/m","input":"hi"}`); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	account := w.shelf.find("msg_1").Credential
	f := func(key int, path, input string, want int) {
		t.Helper()
		w.up.calls()
		w.objects.forgetAll() // as after a restart
		status, body := w.ask(t, key, http.MethodPost, path, `{"model":"openai/m","store":false,"input":[{"role":"user","content":"hi"},`+input+`]}`)
		calls := w.up.calls()
		if status != want || len(calls) != map[int]int{http.StatusOK: 1}[want] {
			t.Errorf("%s: %d %s after %q", input, status, body, calls)
		}
		if len(calls) > 0 && (!strings.HasPrefix(calls[0], "openai-"+account+" ") && !strings.Contains(input, "content") || !strings.Contains(calls[0], input)) {
			t.Errorf("%s: asked %q", input, calls)
		}
	}
	const here = "/v1/responses"
	for _, ref := range []string{`{"type":"item_reference","id":"msg_1"}`, `{"id":"msg_1"}`, `{"id":"msg_1","type":null}`, `{"ID":"msg_1","Type":"item_reference"}`} {
		for range 3 { // whichever of the two accounts would have its turn
			f(mine, here, ref, http.StatusOK)
			f(also, here, ref, http.StatusOK)
		}
		f(theirs, here, ref, http.StatusNotFound)
		f(theirs, here+"/input_tokens", ref, http.StatusNotFound)
		f(mine, here, strings.Replace(ref, "msg_1", "msg_0", 1), http.StatusNotFound)
	}
	for _, full := range []string{
		`{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[]}]}`,
		`{"id":"msg_1","role":"assistant","content":"hi"}`,
		`{"type":"reasoning","id":"msg_1","summary":[],"encrypted_content":"x"}`,
	} {
		f(theirs, here, full, http.StatusOK)
		f(theirs, here, strings.Replace(full, "msg_1", "msg_0", 1), http.StatusOK)
	}
	if status, body := w.ask(t, mine, http.MethodDelete, "/v1/responses/resp_1", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	f(mine, here, `{"id":"msg_1"}`, http.StatusNotFound)
}

// An item that a client has sent back in full stays whose it is, though lists show it to others.
func TestStored_ItemsOfOthers(t *testing.T) {
	w := newTenants(t)
	const listed = `{"object":"list","data":[{"id":"msg_1"},{"id":"msg_2"}],"has_more":false}`
	w.up.answers(func(*http.Request) string { return listed })
	w.own("mine", "one", providers.ObjectResponse, "resp_1")
	w.own("theirs", "one", providers.ObjectItem, "msg_1")
	if status, body := w.ask(t, mine, http.MethodGet, "/v1/responses/resp_1/input_items", ""); status != http.StatusOK || body != listed {
		t.Fatalf("%d %s", status, body)
	}
	if first, second := w.shelf.find("msg_1"), w.shelf.find("msg_2"); first.Workspace != "theirs" || second == nil || second.Workspace != "mine" {
		t.Errorf("the items are of %+v and %+v", first, second)
	}
	if status, _ := w.ask(t, mine, http.MethodPost, "/v1/responses", `{"model":"openai/m","input":[{"id":"msg_1"}]}`); status != http.StatusNotFound {
		t.Errorf("another tenant's item: %d", status)
	}
}
