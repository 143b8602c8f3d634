package anthropic_test

import (
	"slices"
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/anthropic"
)

// at gives an endpoint of the surface.
func at(t *testing.T, method, path string) *providers.Endpoint {
	t.Helper()
	endpoints := anthropic.Surface().Endpoints
	for i := range endpoints {
		if endpoints[i].Method == method && endpoints[i].Path == path {
			return &endpoints[i]
		}
	}
	t.Fatalf("there is no %s %s", method, path)
	return nil
}

func TestBatch(t *testing.T) {
	b := at(t, "POST", "/v1/messages/batches").Stored.Batch
	call := func(request, wantBody string) {
		t.Helper()
		path, body, err := b.Call([]byte(request))
		if (err == nil) != (wantBody != "") || string(body) != wantBody || err == nil && path != "/anthropic/v1/messages" {
			t.Errorf("%s: %s, %s, %v", request, path, body, err)
		}
	}
	call(`{"custom_id":"a","params":{"model":"m"}}`, `{"model":"m"}`)
	call(`{"params":[]}`, "")
	call(`{"custom_id":"a"}`, "")
	call(`{"params":{},"params":{}}`, "")
	call(`{"params":{},"Params":{}}`, "")
	call(`[]`, "")
	state := func(shown string, wantEnded bool, want ...string) {
		t.Helper()
		if ended, results := b.State([]byte(shown)); ended != wantEnded || !slices.Equal(results, want) {
			t.Errorf("%s: %t, %q", shown, ended, results)
		}
	}
	state(`{"id":"b","processing_status":"in_progress","results_url":null}`, false)
	state(`{"id":"b","processing_status":"canceling","results_url":null}`, false)
	state(`{"id":"b","processing_status":"ended","results_url":"https://x/"}`, true, "b")
	state(`{"id":"b","processing_status":"ended","results_url":null,"archived_at":"2026-01-01T00:00:00Z"}`, true)
	result := func(line, want string) {
		t.Helper()
		if got := b.Result([]byte(line)); string(got) != want {
			t.Errorf("%s: %s", line, got)
		}
	}
	result(`{"custom_id":"a","result":{"type":"succeeded","message":{"id":"m"}}}`, `{"id":"m"}`)
	result(`{"custom_id":"a","result":{"type":"errored","error":{"type":"error"}}}`, "")
	result(`{"custom_id":"a","result":{"type":"canceled"}}`, "")
	result(`nothing`, "")
}
