package policy_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// What a dead gateway's entries say comes to the counters that its asks were for.
func TestLegacies(t *testing.T) {
	key := storage.Scope{Kind: "key", Name: "ci"}
	l := limits(t, []storage.Limit{{Scope: key, Concurrent: 3, RequestsPerMinute: 10}}, []storage.Budget{
		{Scope: key, Nano: 1000, Per: "day"}, {Scope: storage.Scope{Kind: "all"}, Tokens: 1000, Per: "total"},
		{Scope: key, Nano: 1000, Per: "total", Models: []string{"anthropic/*"}},
	})
	id := uuid.Must(uuid.NewV7())
	c := caller()
	entry := storage.Entry{
		RequestID: id, Attempt: 2, Time: noon, Charge: storage.Charge{CostNano: 70},
		Series: storage.Series{Workspace: c.Workspace, Project: c.Project, Key: c.ID, KeyName: c.Name, User: c.Owner, Provider: "openai", Model: "m"},
		Lines:  []providers.Normal{{InputUncached: 5, Output: 7}},
	}
	unpriced, other := entry, entry
	unpriced.Unpriced = "no price"
	other.Key, other.KeyName = "other", "other"
	asks := l.For(c).Budgets(noon)
	got := l.Legacies([]storage.Entry{entry, unpriced, other})
	if len(got) != 3 {
		t.Fatalf("%d legacies", len(got))
	}
	for i, want := range [][]int64{{70, 12}, {-1, 12}, {12}} {
		a := got[i].Ask
		if !slices.Equal(got[i].Spent, want) || a.Lease != id.String()+"/2" || len(a.Rates) != 0 || !a.Now.Equal(noon) {
			t.Errorf("%d: %v spent, want %v: %+v", i, got[i].Spent, want, a)
		}
	}
	if a := got[0].Ask; a.Budgets[0].Counter != asks[0].Counter || a.Budgets[1].Counter != asks[1].Counter || len(a.Slots) != 1 {
		t.Errorf("%+v", a)
	}
	if len(limits(t, nil, nil).Legacies([]storage.Entry{entry})) != 0 {
		t.Error("a legacy where nothing holds")
	}
}
