package prompt

import (
	"errors"
	"math"
	"strconv"
	"testing"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

func greeting() *Prompt {
	p := &Prompt{Workspace: "default", Name: "greeting", Latest: 3, Versions: map[int]*Version{}, Labels: map[string][]storage.PromptShare{}}
	for n := 1; n <= 3; n++ {
		p.Versions[n] = &Version{Name: "greeting@" + strconv.Itoa(n), Template: &Template{}}
	}
	return p
}

func TestChoose(t *testing.T) {
	p := greeting()
	f := func(at, want string) {
		t.Helper()
		v, err := p.Choose(at, 7)
		var fault *providers.Fault
		switch {
		case want == "" && (!errors.As(err, &fault) || fault.Kind != providers.FaultNoModel):
			t.Errorf("%q: %v %v, want none", at, v, err)
		case want != "" && (err != nil || v.Name != want):
			t.Errorf("%q: %v %v, want %s", at, v, err, want)
		}
	}
	f("", "greeting@3")
	f("latest", "greeting@3")
	f("1", "greeting@1")
	f("01", "greeting@1")
	for _, at := range []string{"4", "0", "-1", "production", "staging", "2x"} {
		f(at, "")
	}
	p.Labels["production"] = []storage.PromptShare{{Version: 2, Weight: 1}}
	f("", "greeting@2")
	f("production", "greeting@2")
	f("latest", "greeting@3")
	p.Versions[2].Broken = errors.New("of a newer release")
	if _, err := p.Choose("2", 0); err == nil {
		t.Error("a broken version is used")
	}
}

// A label's shares are as large as their weights say, a user stays at one version, and where
// weights change only those move who must.
func TestShares(t *testing.T) {
	p := greeting()
	const users = 20_000
	split := func(shares ...storage.PromptShare) map[int]string {
		p.Labels["ab"] = shares
		chosen := map[int]string{}
		for user := range users {
			v, err := p.Choose("ab", policy.HashParts(strconv.Itoa(user)))
			if err != nil {
				t.Fatal(err)
			}
			chosen[user] = v.Name
		}
		return chosen
	}
	part := func(chosen map[int]string, name string) float64 {
		n := 0
		for _, v := range chosen {
			if v == name {
				n++
			}
		}
		return float64(n) / users
	}
	before := split(storage.PromptShare{Version: 1, Weight: 90}, storage.PromptShare{Version: 2, Weight: 10})
	if got := part(before, "greeting@2"); math.Abs(got-0.1) > 0.01 {
		t.Errorf("version 2 has %.3f of the users, want 0.1", got)
	}
	again := split(storage.PromptShare{Version: 2, Weight: 10}, storage.PromptShare{Version: 1, Weight: 90})
	after := split(storage.PromptShare{Version: 1, Weight: 80}, storage.PromptShare{Version: 2, Weight: 20})
	for user := range users {
		if before[user] != again[user] {
			t.Fatalf("user %d moved though no weight changed", user)
		}
		if before[user] == "greeting@2" && after[user] != "greeting@2" {
			t.Fatalf("user %d left version 2 though its weight grew", user)
		}
	}
	if got := part(after, "greeting@2"); math.Abs(got-0.2) > 0.012 {
		t.Errorf("version 2 has %.3f of the users, want 0.2", got)
	}
}

func TestNamed(t *testing.T) {
	f := func(model string, want Ref, ok bool) {
		t.Helper()
		if got, is := Named(model); got != want || is != ok {
			t.Errorf("%s: %v %v", model, got, is)
		}
	}
	f("prompt/a", Ref{"a", ""}, true)
	f("prompt/a@production", Ref{"a", "production"}, true)
	f("prompt/a@3", Ref{"a", "3"}, true)
	f("openai/gpt-5", Ref{}, false)
	f("prompts/a", Ref{}, false)
}

func TestSet(t *testing.T) {
	p := greeting()
	s := NewSet([]*Prompt{p})
	if s.Find("default", "greeting") != p || s.Find("other", "greeting") != nil || len(s.Of("default")) != 1 || (*Set)(nil).Find("default", "greeting") != nil {
		t.Error("a prompt is found where it is not, or not where it is")
	}
}
