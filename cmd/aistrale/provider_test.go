package main

import (
	"reflect"
	"slices"
	"testing"

	"github.com/aistrale/aistrale/providers"
)

func TestProviderConfig_provider(t *testing.T) {
	f := func(text, baseURL, language string, check func(providers.Provider) bool) {
		t.Helper()
		c := mustLoad(t, "providers: ["+text+"]")
		p, err := c.Providers[0].provider()
		if err != nil {
			t.Fatal(err)
		}
		if p.BaseURL != baseURL || p.Routes[providers.OpChat].Language != language || !check(p) {
			t.Errorf("%s: %+v", text, p)
		}
	}
	f("{name: anthropic}", "https://api.anthropic.com", "anthropic",
		func(p providers.Provider) bool { return reflect.DeepEqual(p.Forward, []string{"anthropic-beta"}) })
	f("{name: groq, base_url: 'http://127.0.0.1:1/x/', forward: [x-a], quirks: {strip: [n]}}", "http://127.0.0.1:1/x", "openai",
		func(p providers.Provider) bool {
			return slices.Contains(p.Quirks.Strip, "store") && slices.Contains(p.Quirks.Strip, "n") && reflect.DeepEqual(p.Forward, []string{"x-a"})
		})
	f("{name: gemini, dialect: gemini}", "https://generativelanguage.googleapis.com/v1beta", "gemini",
		func(p providers.Provider) bool { return p.OwnedBy == "google" })
	f("{name: gemini, dialect: openai, base_url: https://generativelanguage.googleapis.com/v1beta/openai}",
		"https://generativelanguage.googleapis.com/v1beta/openai", "openai", func(p providers.Provider) bool { return p.Name == "gemini" })
	f("{name: mine, dialect: anthropic, base_url: http://h, quirks: {rename: {a: b}}}", "http://h", "anthropic",
		func(p providers.Provider) bool { return p.Name == "mine" && p.Quirks.Rename["a"] == "b" })
}

func TestProviderConfig_mocks(t *testing.T) {
	c := mustLoad(t, "providers: [{name: mock}]")
	if p := c.Providers[0].mocks("http://127.0.0.1:5")["claude"]; p.BaseURL != "http://127.0.0.1:5/anthropic" {
		t.Errorf("in this process: %s", p.BaseURL)
	}
	c = mustLoad(t, "providers: [{name: mock, base_url: http://127.0.0.1:9100}]")
	if p := c.Providers[0].mocks("http://127.0.0.1:5")["gemini"]; p.BaseURL != "http://127.0.0.1:9100/gemini/v1beta" {
		t.Errorf("on its own: %s", p.BaseURL)
	}
}
