package main_test

import (
	"context"
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"

	"github.com/aistrale/aistrale/providers/mock"
)

func TestGoClient_errors(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	f := func(name, key, model, settings string, status int, kind, code string) {
		t.Helper()
		client := goClient(r, key)
		_, err := client.Chat.Completions.New(t.Context(), ask(model), told(settings))
		var got *openai.Error
		if !errors.As(err, &got) {
			t.Errorf("%s: %v is no error of the API", name, err)
			return
		}
		if got.StatusCode != status || got.Type != kind || got.Code != code || got.Message == "" {
			t.Errorf("%s: %d %q %q %q, want %d %q %q", name, got.StatusCode, got.Type, got.Code, got.Message, status, kind, code)
		}
	}
	f("bad key", unknownKey, "mock/gpt", "", 401, "invalid_request_error", "invalid_api_key")
	f("closed model", narrowKey, "mock/claude", "", 403, "invalid_request_error", "model_not_found")
	f("unknown model", fullKey, "nobody/knows", "", 404, "invalid_request_error", "model_not_found")
	f("refused credential", fullKey, "refused/gpt", "", 502, "server_error", "provider_auth")
	for _, model := range dialects {
		f(model+" 400", fullKey, model, "status=400", 400, "invalid_request_error", "")
		f(model+" 404", fullKey, "mock/missing-one", "", 404, "invalid_request_error", "model_not_found")
		f(model+" 401", fullKey, model, "status=401", 502, "server_error", "provider_auth")
		f(model+" 500", fullKey, model, "status=500", 502, "server_error", "upstream_error")
		f(model+" 503", fullKey, model, "status=503", 503, "server_error", "overloaded")
		client := goClient(r, fullKey)
		_, err := client.Chat.Completions.New(t.Context(), ask(model), told("status=429; retry-after=2"))
		var got *openai.Error
		if !errors.As(err, &got) || got.StatusCode != 429 || got.Code != "rate_limit_exceeded" || got.Response.Header.Get("retry-after") != "2" {
			t.Errorf("%s 429: %v", model, err)
		}
	}
}

// A client that leaves in the middle of a stream, or before it began, cancels its upstream call.
func TestGoClient_abort(t *testing.T) {
	t.Parallel()
	r := start(t, "")
	client := goClient(r, fullKey)
	f := func(model, settings string, chunks int) {
		t.Helper()
		before := len(r.mock.Calls())
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		done := make(chan error, 1)
		go func() {
			stream := client.Chat.Completions.NewStreaming(ctx, ask(model), told(settings))
			defer stream.Close()
			for n := 1; stream.Next(); n++ {
				if n == chunks {
					leave()
				}
			}
			done <- stream.Err()
		}()
		eventually(t, model+": the upstream is asked", func() bool { return len(r.mock.Calls()) > before })
		if chunks == 0 {
			leave()
		}
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", model, err)
		}
		eventually(t, model+": the upstream's call ends", func() bool { return r.mock.Open() == 0 })
		calls := r.mock.Calls()
		if last := calls[len(calls)-1]; last.State != mock.CallAborted || last.Events >= 1_000 {
			t.Errorf("%s: the call is %s after %d events", model, last.State, last.Events)
		}
	}
	for _, model := range dialects {
		f(model, "events=100000; chunk=5ms", 3)
		f(model, "hang", 0)
	}
}
