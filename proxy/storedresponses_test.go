package proxy

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers"
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
