package catalog

import "github.com/aistrale/aistrale/providers"

const mockName = "mock"

// Mock gives the emulator as the three providers it is, by the model that picks each: gpt,
// claude and gemini. baseURL is the emulator's own address, without a path.
func Mock(baseURL string) map[string]providers.Provider {
	mock := func(path string, routes map[providers.Op][]providers.Route, sign providers.Signer, forward ...string) providers.Provider {
		return providers.Provider{
			Name: mockName, OwnedBy: mockName, BaseURL: baseURL + path,
			Routes: routes, Sign: sign, Forward: append(forward, "x-mock"),
		}
	}
	claude := mock("/anthropic", anthropicKeeping(), providers.HeaderKey("x-api-key"), anthropicForward()...)
	claude.ForwardExact = anthropicVersion()
	return map[string]providers.Provider{
		"gpt":    WithResponses(mock("/openai/v1", openaiRoutes(ownOps()...), providers.Bearer)),
		"claude": claude,
		"gemini": mock("/gemini/v1beta", geminiKeeping(), providers.HeaderKey("x-goog-api-key")),
	}
}

// mockModels gives each emulated model the abilities of a current model behind its dialect.
func mockModels() []Model {
	model := func(id string, can providers.Capabilities) Model {
		return Model{
			Provider: mockName, ID: id, Source: "aistrale", Input: []string{"text", "image", "pdf"}, Output: []string{"text"}, Can: can,
		}
	}
	efforts := []string{"low", "medium", "high"}
	return []Model{
		model("claude", providers.Capabilities{Context: 200_000, MaxOutput: 64_000, BudgetMin: 1024, BudgetMax: 64_000}),
		model("gemini", providers.Capabilities{Context: 1_048_576, MaxOutput: 65_536, Efforts: efforts, ThinkingAlways: true}),
		model("gpt", providers.Capabilities{Context: 400_000, MaxOutput: 128_000, Efforts: efforts}),
	}
}
