package anthropic

import "github.com/aistrale/aistrale/providers"

// Betas governs the header that opens features of the API. Those that reach a network, name
// another model or a stored object do so by fields, which Governed lists.
// Source: https://docs.claude.com/en/api/beta-headers, AnthropicBeta of anthropic-sdk-go, and
// https://code.claude.com/docs/en/llm-gateway-protocol for what Claude Code sends.
func Betas() providers.GovernedHeader {
	return providers.GovernedHeader{
		Name: "anthropic-beta",
		Known: []string{
			"advanced-tool-use", "advisor-tool", "claude-code", "code-execution", "compact", "computer-use",
			"context-management", "dev-full-thinking", "effort", "extended-cache-ttl", "fast-mode", "files-api",
			"fine-grained-tool-streaming", "interleaved-thinking", "mcp-client", "message-batches",
			"model-context-window-exceeded", "oauth", "output-128k", "output-300k", "pdfs", "prompt-caching",
			"prompt-caching-scope", "redact-thinking", "search-results", "skills", "structured-outputs", "task-budgets",
			"thinking-token-count", "token-counting", "token-efficient-tools", "tool-examples", "user-profiles",
			"web-fetch", "web-search",
		},
		Priced: []string{"context-1m"}, // a longer context at a higher rate
	}
}
