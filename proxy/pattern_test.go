package proxy

import (
	"testing"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/openai"
)

func TestPattern(t *testing.T) {
	f := func(path, request string, want ...string) {
		t.Helper()
		p := newPattern(&providers.Endpoint{Path: path})
		vars, ok := p.match([]byte(request))
		if ok != (want != nil) {
			t.Fatalf("%s of %s: %v", request, path, ok)
		}
		for i := range want {
			if got := vars.get(p.names[i]); got != want[i] {
				t.Errorf("%s of %s: %s is %q, want %q", request, path, p.names[i], got, want[i])
			}
		}
	}
	f("/v1/models/{model}", "/v1/models/huggingface/meta-llama/x", "huggingface/meta-llama/x")
	f("/v1/models/{model}", "/v1/models/")
	f("/v1/models/{model}", "/v1/model")
	f("/g/models/{model}:generateContent", "/g/models/gemini/g-2:generateContent", "gemini/g-2")
	f("/g/models/{model}:generateContent", "/g/models/a:b:generateContent", "a:b")
	f("/g/models/{model}:generateContent", "/g/models/g-2:streamGenerateContent")
	f("/g/models/{model}:generateContent", "/g/models/:generateContent")
	f("/v1/files/{id}", "/v1/files/a", "a")
	f("/v1/files/{id}", "/v1/files/a/b")
	f("/v1/files/{id}/content", "/v1/files/a/content", "a")
	f("/v1/files/{id}/content", "/v1/files/a/b/content")
	f("/v1/stores/{id}/files/{file}", "/v1/stores/s/files/f", "s", "f")
	f("/v1/stores/{id}/files/{file}", "/v1/stores/s/files/")
	f("/v1/stores/{id}/files/{file}", "/v1/stores//files/f")
}

func TestEndpoints_find(t *testing.T) {
	other := providers.Surface{Prefix: "/other", Face: openai.Face{}, Endpoints: []providers.Endpoint{
		{Method: "GET", Path: "/v1/models/{model}", Op: providers.OpModels},
		{Method: "DELETE", Path: "/v1/models/{model}", Op: providers.OpChat},
	}}
	e := newEndpoints([]providers.Surface{openai.Surface(), other})
	f := func(method, path string, op providers.Op, known bool) {
		t.Helper()
		at, _, got := e.find([]byte(method), []byte(path))
		if at.Op != op || got != known || at.Face == nil {
			t.Errorf("%s %s: %s, %v, %v", method, path, at.Op, got, at.Face)
		}
	}
	f("POST", "/v1/chat/completions", providers.OpChat, true)
	f("GET", "/v1/chat/completions", 0, true)
	f("GET", "/v1/models", providers.OpModels, true)
	f("GET", "/v1/models/a/b", providers.OpModels, true)
	f("POST", "/v1/models/a/b", 0, true)
	f("GET", "/v1/nothing", 0, false)
	f("GET", "/other/v1/models/a", providers.OpModels, true)
	f("DELETE", "/other/v1/models/a", providers.OpChat, true)
	f("PUT", "/other/v1/models/a", 0, true)
	f("POST", "/other/v1/chat/completions", 0, false)
}
