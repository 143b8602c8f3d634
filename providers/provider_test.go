package providers

import (
	"testing"
)

func TestProvider_Route(t *testing.T) {
	p := Provider{Routes: map[Op][]Route{
		OpChat: {
			{Language: "anthropic", Models: "claude", Path: "/messages"},
			{Language: "openai", Models: "/", Path: "/chat"},
			{Language: "gemini", Path: "/generate"},
			{Language: "openai", Path: "/compatible"},
		},
		OpEmbeddings: {{Language: "openai", Path: "/pair", Pair: &Pair{Client: "openai"}}, {Language: "gemini", Path: "/embed"}},
		OpModels:     {{Language: "openai", Models: "gpt", Path: "/models"}},
	}}
	f := func(op Op, language, model, want string, spoken ...string) {
		t.Helper()
		got, ok := p.RouteIn(op, language, model, spoken)
		if got.Path != want || ok != (want != "") {
			t.Errorf("Route(%s, %s, %s) = %q, %v, want %q", op, language, model, got.Path, ok, want)
		}
	}
	f(OpChat, "anthropic", "claude-sonnet-4-5@20250929", "/messages")
	f(OpChat, "openai", "us.anthropic.claude-haiku-4-5-v1:0", "/compatible")
	f(OpChat, "gemini", "claude-sonnet-4-5", "/generate")
	f(OpChat, "bedrock", "claude-sonnet-4-5", "/messages")
	f(OpChat, "openai", "meta/llama-4", "/chat")
	f(OpChat, "anthropic", "gemini-2.5-pro", "/generate")
	f(OpChat, "", "", "/generate")
	f(OpEmbeddings, "openai", "e", "/pair")
	f(OpEmbeddings, "gemini", "e", "/embed")
	f(OpChat, "gemini", "m", "/compatible", "openai")
	f(OpChat, "gemini", "m", "/generate", "openai", "gemini")
	f(OpChat, "openai", "m", "", "responses")
	f(OpModels, "openai", "claude", "")
	f(OpCompletions, "openai", "gpt", "")
}

func TestUnder(t *testing.T) {
	f := func(base, path, want string) {
		t.Helper()
		if got := Under(base, path); got != want {
			t.Errorf("Under(%q, %q) = %q, want %q", base, path, got, want)
		}
	}
	f("/v1", "/chat/completions", "/v1/chat/completions")
	f("/v1", "//hf-inference/models", "/hf-inference/models")
	f("", "/v1/messages", "/v1/messages")
}
