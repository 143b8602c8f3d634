package storage

import (
	"slices"
	"strings"
	"testing"
)

func TestPromptNames(t *testing.T) {
	f := func(check func(string) error, name string, good bool) {
		t.Helper()
		if err := check(name); (err == nil) != good {
			t.Errorf("%q: %v, want it good: %v", name, err, good)
		}
	}
	f(CheckPromptName, "greeting", true)
	f(CheckPromptName, "Greeting-2.v_1", true)
	f(CheckPromptName, "12", true)
	for _, bad := range []string{"", "a@b", "a/b", "../x", "pmpt_123", "PMPT_1", "a b", "ä", strings.Repeat("a", 65)} {
		f(CheckPromptName, bad, false)
	}
	f(CheckPromptLabel, "production", true)
	f(CheckPromptLabel, "v2", true)
	for _, bad := range []string{"", "2", "latest", "a@b", "-1"} {
		f(CheckPromptLabel, bad, false)
	}
}

func TestPromptVersionID(t *testing.T) {
	ids := []string{PromptVersionID("a", 2), PromptVersionID("a", 10), PromptVersionID("a", 999), PromptVersionID("a", 100_000_000)}
	if !slices.IsSorted(ids) {
		t.Errorf("%q are not in the order of their numbers", ids)
	}
}

func TestPromptLabelCheck(t *testing.T) {
	f := func(good bool, shares ...PromptShare) {
		t.Helper()
		l := PromptLabel{Name: "production", Shares: shares}
		if err := l.Check(); (err == nil) != good {
			t.Errorf("%v: %v, want it good: %v", shares, err, good)
		}
	}
	f(true, PromptShare{1, 1})
	f(true, PromptShare{1, 90}, PromptShare{2, 10})
	f(false)
	f(false, PromptShare{1, 1}, PromptShare{1, 2})
	f(false, PromptShare{1, 0})
}
