package main

import (
	"strings"
	"testing"
)

func TestLoadConfig_clouds(t *testing.T) {
	f := func(provider string, want ...string) {
		t.Helper()
		_, err := loadConfig(writeConfig(t, "providers: ["+provider+"]\n"), variables())
		if len(want) == 0 {
			if err != nil {
				t.Errorf("%s: %v", provider, err)
			}
			return
		}
		for _, text := range want {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v\nwant %s", provider, err, text)
			}
		}
	}
	f("{name: azure, base_url: https://r.openai.azure.com, api_version: 2024-10-21, api_key: k}")
	f("{name: azure}", "providers[0].base_url: is missing: azure cannot be called without it")
	f("{name: azure, base_url: https://r.openai.azure.com/openai/v1}", "providers[0].base_url: is the address alone, without a path")
	f("{name: azure, base_url: https://r.openai.azure.com, location: x, api_version: a/b}", "location: says nothing to azure", `api_version: "a/b"`)
	f("{name: vertex}", "providers[0].location: is missing", "providers[0].project: is missing")
	f("{name: vertex, project: p, location: global, api_key: ya29.token}")
	f(`{name: vertex, project: p, location: global, api_key: '{"type":"authorized_user"}'}`, `providers[0].api_key: the credential's type is "authorized_user"`)
	f("{name: vertex, project: p, location: global, token_url: 'ftp://x'}", "providers[0].token_url: is not a URL")
	f("{name: azure, base_url: https://r.openai.azure.com, price_as: {a: gpt-4o, b: opnai/gpt-4o}}",
		`price_as.a: "gpt-4o" is no model such as`, `price_as.b: no provider is named "opnai", did you mean "openai"?`)
	f("{name: azure-eu, kind: azure, base_url: https://r.openai.azure.com, deployments: {my-gpt: gpt-5.1}}")
	f("{name: claude, kind: anthropic, dialect: anthropic, deployments: {a: claude-sonnet-4-5}}")
	f("{name: azure-eu, kind: azure, api_version: 2024-10-21}", "providers[0].base_url: is missing: azure cannot be called without it")
	f("{name: east, kind: bedrok, location: us-east-1}", `providers[0].kind: "bedrok" is no known provider, did you mean "bedrock"?`)
	f("{name: openai, kind: azure, base_url: https://r.openai.azure.com}", "providers[0].kind: openai is itself a known provider; an account of azure needs another name")
	f("{name: mock, kind: openai}", "providers[0]: the emulator")
	f("{name: mine, dialect: openai, base_url: 'http://127.0.0.1:1', deployments: {a: b}}", "providers[0].deployments: name models of a known provider; say which by kind")
	f("{name: eu, kind: azure, base_url: https://r.openai.azure.com, deployments: {my-gpt: 'gpt 5'}}", `providers[0].deployments.my-gpt: "gpt 5" is no model's name`)
	f("{name: eu, kind: azure, base_url: https://r.openai.azure.com, dialect: gemini}", "providers[0].dialect: azure speaks openai")
	f("{name: eu, kind: vertex, location: global, project: p, api_version: v1}", "api_version: says nothing to vertex")
	f("{name: bedrock}", "providers[0].location: is missing")
	f("{name: bedrock, location: us-east-1, api_key: 'id:secret'}")
	f(`{name: azure, base_url: https://r.openai.azure.com, api_key: '{"tenant":"t","appId":"a","password":"p"}'}`)
	f(`{name: azure, base_url: https://r.openai.azure.com, api_key: '{"tenant":"t","appId":"a"}'}`, "providers[0].api_key: the application of Entra ID has no client_secret")
	f("{name: vllm}", "providers[0].base_url: is missing")
	f("{name: ollama}")
	f("{name: openai, project: p, token_url: https://x.example.com}", "project: says nothing to openai", "token_url: says nothing to openai")
}
