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
	f("{name: bedrock}", "providers[0].location: is missing")
	f("{name: bedrock, location: us-east-1, api_key: 'id:secret'}")
	f("{name: vllm}", "providers[0].base_url: is missing")
	f("{name: ollama}")
	f("{name: openai, project: p, token_url: https://x.example.com}", "project: says nothing to openai", "token_url: says nothing to openai")
}
