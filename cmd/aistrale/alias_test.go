package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const aliasProviders = "providers: [{name: mock}, {name: openai}, {name: mine, dialect: openai, base_url: http://h, models: [llama, qwen]}]\naliases:\n"

func TestAliases(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		var got []string
		for _, alias := range mustLoad(t, aliasProviders+text).Aliases {
			var targets []string
			for _, target := range alias.Targets {
				targets = append(targets, target.Provider+" "+target.Model+strings.Repeat("+", target.Weight))
			}
			got = append(got, alias.Name+": "+strings.Join(targets, ", "))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %q\nwant %q", text, got, want)
		}
	}
	f("  fast: [mine/llama, openai/gpt-4o-mini]", "fast: mine llama, openai gpt-4o-mini")
	f("  z: [mock/gpt]\n  a: [mock/claude]", "z: mock gpt", "a: mock claude")
	f("  w: [{target: mine/llama, weight: 2}, {target: mock/gpt, weight: 1}]", "w: mine llama++, mock gpt+")
	f("  outer: [inner, openai/org/x]\n  inner: [mock/gpt, mock/claude]", "outer: mock gpt, mock claude, openai org/x", "inner: mock gpt, mock claude")
	f("  bare: [gpt-4o]", "bare: openai gpt-4o")
	f("  gpt-4o: [mine/llama]\n  team/x: [gpt-4o]", "gpt-4o: mine llama", "team/x: mine llama")
}

func TestAliases_mistakes(t *testing.T) {
	t.Parallel()
	f := func(text string, want ...string) {
		t.Helper()
		file := writeConfig(t, aliasProviders+text)
		_, err := loadConfig(file, variables())
		if err == nil {
			t.Errorf("%q is accepted", text)
			return
		}
		if len(want) > 1 {
			want = slices.Insert(want, 0, fmt.Sprintf("%d mistakes:", len(want)))
		}
		if got := strings.ReplaceAll(err.Error(), file, "f"); got != strings.Join(want, "\n") {
			t.Errorf("%q\n got %s\nwant %s", text, got, strings.Join(want, "\n"))
		}
	}
	f("  a: [opanai/gpt-4o]", `f:3: aliases.a[0]: "opanai/gpt-4o": no provider "opanai" is configured, did you mean "openai"?`)
	f("  a: [claude-sonnet-4-5]", `f:3: aliases.a[0]: "claude-sonnet-4-5": no provider "anthropic" is configured; known are mock, openai, mine`)
	f("  fast: [mock/gpt]\n  b: [fsat]", `f:4: aliases.b[0]: "fsat" is neither provider/model, nor an alias, nor a model that the catalogue knows, did you mean "fast"?`)
	f("  a: [a]", "f:3: aliases.a: leads back to itself: a → a")
	f("  a: [b]\n  b: [c, mock/gpt]\n  c: [a]", "f:3: aliases.a: leads back to itself: a → b → c → a")
	f("  a: []", "f:3: aliases.a: has no targets")
	f("  a:", "f:3: aliases.a: has no targets")
	f("  a: mock/gpt", "f:3: aliases.a: want a list, got a single value", "f:3: aliases.a: has no targets")
	f("  a: [{target: mock/gpt, weight: 1}, mock/claude]", "f:3: aliases.a: some targets have a weight and some have none; give one to each, or to none")
	f("  a: [{target: mock/gpt, weight: -1}]", "f:3: aliases.a[0].weight: must be from 1 to 1000000")
	f("  a: [{target: mock/gpt, wieght: 1}]", `f:3: aliases.a[0].wieght: unknown key, did you mean "weight"?`)
	f("  a: [{target: b, weight: 1}]\n  b: [mock/gpt]", `f:3: aliases.a[0]: "b" is an alias, and aliases nest only where neither has weights`)
	f("  a: [b]\n  b: [{target: mock/gpt, weight: 1}]", `f:3: aliases.a[0]: "b" is an alias, and aliases nest only where neither has weights`)
	f("  a: [mine/lama]", `f:3: aliases.a[0]: provider mine does not serve "lama", did you mean "llama"?`)
	f("  a: [mock/gtp]", `f:3: aliases.a[0]: provider mock does not serve "gtp", did you mean "gpt"?`)
	f("  a: ['openai/../x']", `f:3: aliases.a[0]: "../x" is no model's name`)
	f("  a: [mock/]", `f:3: aliases.a[0]: "" is no model's name`)
	f("  openai/x: [mock/gpt]", "f:3: aliases.openai/x: an alias must not hide the names of openai/")
	f("  prompt/x: [mock/gpt]", "f:3: aliases.prompt/x: an alias must not hide the names of prompt/")
	f("  'a b': [mock/gpt]", `f:3: aliases.a b: "a b" is no name for an alias`)
	f("  a: [mock/gpt]\n  a: [mock/claude]", "f:4: aliases.a: stands twice")
}
