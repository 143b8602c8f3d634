package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

func TestLog(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		f := func(want string) {
			t.Helper()
			if got := a.wants(200, a.root, "GET", "/log", ""); got.body != want {
				t.Errorf("got %s, want %s", got.body, want)
			}
		}
		const by = `"by":"token/`
		f(`{"keys":[]}`)
		got := a.wants(200, a.root, "PUT", "/log", `{"level":"debug","seconds":60}`)
		if got.field(t, "level") != "debug" || got.field(t, "until") != a.clock.Add(time.Minute).Format(time.RFC3339) || !strings.Contains(got.body, by) {
			t.Error(got.body)
		}
		a.wants(200, a.root, "PUT", "/log", `{"level":"warn"}`) // the last word counts, for ten minutes
		got = a.wants(200, a.root, "PUT", "/log/keys/abcd1234", `{"seconds":120}`)
		if got.field(t, "level") != "warn" || got.field(t, "until") != a.clock.Add(10*time.Minute).Format(time.RFC3339) || !strings.Contains(got.body, `{"key":"abcd1234","until":"2026-11-26T12:02:00Z",`+by) {
			t.Error(got.body)
		}
		kept, err := a.store.Documents(t.Context(), storage.DocumentQuery{Kind: storage.LogRuleKind()})
		if err != nil || len(kept) != 2 || kept[0].ExpiresAt == nil {
			t.Errorf("%v %v", kept, err)
		}
		a.clock = a.clock.Add(2 * time.Minute)
		if got := a.wants(200, a.root, "GET", "/log", ""); strings.Contains(got.body, "abcd1234") {
			t.Errorf("after its time: %s", got.body)
		}
		a.wants(204, a.root, "DELETE", "/log", "")
		f(`{"keys":[]}`)
		a.wants(404, a.root, "DELETE", "/log", "")
		a.wants(204, a.root, "DELETE", "/log/keys/abcd1234", "")
		for path, body := range map[string]string{
			"/log": `{"level":"loud"}`, "/log/keys/x": `{}`, "/log/keys/abcd1234": `{"seconds":86401}`, "/log/keys/abcd12345": `{"seconds":1}`,
		} {
			a.wants(422, a.root, "PUT", path, body)
		}
		do(t, a.auditor.turn(t.Context()))
		if got := a.wants(200, a.root, "GET", "/audit?action=log.write&outcome=done", ""); strings.Count(got.body, `"outcome":"done"`) != 5 {
			t.Errorf("the audit log: %s", got.body)
		}
	})
}

// What is turned on for a look is bounded.
func TestLog_keysAtOnce(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		for i := range mostDebugged + 1 {
			a.ask(a.root, "PUT", "/log/keys/abcd12"+string(rune('a'+i/26))+string(rune('a'+i%26)), `{}`)
		}
		a.wants(409, a.root, "PUT", "/log/keys/onemore1", `{}`)
	})
}
