package prompt

import (
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

func document(t *testing.T, kind storage.Kind, id string, noun any) storage.Document {
	t.Helper()
	body, err := json.Marshal(noun)
	if err != nil {
		t.Fatal(err)
	}
	return storage.Document{Kind: kind, Workspace: "team", ID: id, Body: body}
}

// What has not changed is made ready once; what cannot be read fails nobody else.
func TestGather(t *testing.T) {
	say := func(content string) storage.PromptTemplate {
		return storage.PromptTemplate{Messages: []storage.PromptMessage{{Role: "user", Content: content}}}
	}
	documents := []storage.Document{
		document(t, storage.PromptKind(), "a", storage.Prompt{Name: "a", Latest: 2}),
		document(t, storage.PromptVersionKind(), "a/1", storage.PromptVersion{Prompt: "a", Number: 1, Template: say("x")}),
		document(t, storage.PromptVersionKind(), "a/2", storage.PromptVersion{Prompt: "a", Number: 2, Template: say("{{undeclared}}")}),
		document(t, storage.PromptLabelKind(), "a/production", storage.PromptLabel{Prompt: "a", Name: "production", Shares: []storage.PromptShare{{Version: 1, Weight: 1}}}),
	}
	var g Gatherer
	gather := func() *Prompt {
		set, err := g.Gather(documents)
		if err != nil {
			t.Fatal(err)
		}
		return set.Find("team", "a")
	}
	p := gather()
	one, err := p.Choose("", 0)
	if err != nil || one.Name != "a@1" {
		t.Fatalf("production is %v %v", one, err)
	}
	if _, err := p.Choose("2", 0); err == nil {
		t.Error("a version that cannot be read is used")
	}
	if again := gather(); again.Versions[1] != one {
		t.Error("what has not changed is made ready again")
	}
	documents[1] = document(t, storage.PromptVersionKind(), "a/1", storage.PromptVersion{Prompt: "a", Number: 1, Template: say("y")})
	if again := gather(); again.Versions[1] == one {
		t.Error("a prompt that was made anew is what it was before")
	}
	documents = documents[:1]
	if gather(); len(g.ready) != 0 {
		t.Error("what is gone is held on to")
	}
}
