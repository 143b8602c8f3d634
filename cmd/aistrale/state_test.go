package main

import (
	"slices"
	"testing"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/proxy"
)

// Accounts of one kind stand beside each other: each under its own name, with the models, abilities
// and prices of the kind, where the operator says no others.
func TestState_kinds(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `
providers:
  - {name: azure-eu, kind: azure, base_url: "https://eu.openai.azure.com", api_key: k, region: eu, deployments: {chat: gpt-5.1}}
  - {name: azure-us, kind: azure, base_url: "https://us.openai.azure.com", api_key: k, models: [chat]}
  - {name: paris, kind: vertex, project: p, location: europe-west9, api_key: ya29.x, region: eu}
  - {name: claude, kind: anthropic, api_key: k}
prices:
  - {model: azure-us/chat, input: 7, output: 7}
`)
	s := newState()
	s.means = policy.NewMeans()
	defer s.close()
	got, err := s.build(c, &stock{}, "")
	if err != nil {
		t.Fatal(err)
	}
	eu, paris := got.Accounts["azure-eu"][0], got.Accounts["paris"][0]
	if eu.Name != "azure-eu" || eu.BaseURL != "https://eu.openai.azure.com" || eu.Tariff != "eu" || !eu.Can("chat").Known || eu.Can("other").Known {
		t.Errorf("azure-eu is %+v", eu)
	}
	if paris.Region != "eu" || paris.Tariff != "regional" {
		t.Errorf("paris is kept to %q and charged as %q", paris.Region, paris.Tariff)
	}
	var listed []string
	for _, m := range got.Models {
		listed = append(listed, m.ID)
	}
	for _, id := range []string{"azure-eu/chat", "azure-us/chat", "claude/claude-sonnet-4-5"} {
		if !slices.Contains(listed, id) {
			t.Errorf("%s is not listed", id)
		}
	}
	f := func(account *proxy.Account, model string, want int64) {
		t.Helper()
		charge := got.Prices.Charge(policy.Called{
			Provider: account.Name, Model: model, Region: account.Tariff, Time: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		}, []providers.Normal{{InputUncached: 100_000}})
		if charge.CostNano != want || (want == 0) != (charge.Unpriced != "") {
			t.Errorf("%s/%s costs %+v, want %d", account.Name, model, charge, want)
		}
	}
	f(eu, "chat", 137_500_000)
	f(eu, "nobody-knows", 0)
	f(got.Accounts["azure-us"][0], "chat", 700_000_000)
	f(paris, "claude-sonnet-4-5@20250929", 330_000_000)
	f(paris, "gemini-2.5-flash", 30_000_000)
	f(got.Accounts["claude"][0], "claude-sonnet-4-5", 300_000_000)
}

// A header that an upstream sees anyhow, or that is named twice, goes to it once.
func TestState_forwardsOnce(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `
providers:
  - {name: mock, forward: [x-mock, x-a, x-a]}
  - {name: anthropic, api_key: k, forward: [x-a, anthropic-version, anthropic-beta]}
`)
	s := newState()
	s.means = policy.NewMeans()
	defer s.close()
	got, err := s.build(c, &stock{}, "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	f := func(account string, want ...string) {
		t.Helper()
		if a := got.Accounts[account][0]; !slices.Equal(a.Forward, want) {
			t.Errorf("%s forwards %q, not %q", account, a.Forward, want)
		}
	}
	f("mock/gpt", "x-mock", "x-a")
	f("mock/claude", "anthropic-beta", "x-mock", "x-a")
	f("mock/gemini", "x-mock", "x-a")
	f("anthropic", "anthropic-beta", "x-a")
}
