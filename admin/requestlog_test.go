package admin

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/storage"
)

// called makes the entry of a request that began so long before the test's now.
func (a *testAPI) called(before time.Duration, change func(*storage.Entry)) storage.Entry {
	a.t.Helper()
	at := a.clock.Add(-before)
	id := uuid.Must(uuid.NewV7())
	for i := range 6 {
		id[i] = byte(at.UnixMilli() >> (40 - 8*i))
	}
	e := storage.Entry{
		RequestID: id, Attempt: 1, Revision: 1, State: storage.EntrySettled, Final: true, Time: at, Asked: "fast",
		Series: storage.Series{Workspace: "team", Key: "abcd2345", KeyName: "ci", User: "ada", Provider: "mock", Model: "gpt"},
		Op:     "chat", Outcome: storage.OutcomeOK, Status: 200, UpstreamStatus: 200, Charge: storage.Charge{CostNano: 1_500_000, PriceID: "mock/gpt@1"},
	}
	change(&e)
	return e
}

func TestRequests_List(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		token := a.user("eve@example.com", "team", storage.RoleEngineer)
		var all []storage.Entry
		for i := range 7 {
			all = append(all, a.called(time.Duration(i+1)*time.Minute, func(e *storage.Entry) {
				switch i {
				case 1:
					e.Status, e.Outcome, e.EndUser = 503, storage.OutcomeUpstreamError, "u1"
				case 2:
					e.Workspace = "other"
				case 3:
					e.Key, e.KeyName, e.User, e.Model = "zzzz2345", "web", "bob", "claude"
				}
			}))
		}
		do(t, a.books.Write(t.Context(), all))
		f := func(query string, want ...int) {
			t.Helper()
			var got []string
			cursor := ""
			for {
				page := a.wants(200, token, "GET", "/requests?workspace=team&limit=2&cursor="+cursor+"&"+query, "")
				var body list[Request]
				do(t, json.Unmarshal([]byte(page.body), &body))
				for _, r := range body.Data {
					got = append(got, r.ID)
				}
				if cursor = body.NextCursor; cursor == "" {
					break
				}
			}
			var ids []string
			for _, i := range want {
				ids = append(ids, all[i].RequestID.String())
			}
			if strings.Join(got, " ") != strings.Join(ids, " ") {
				t.Errorf("%s: got %v, want %v", query, got, ids)
			}
		}
		f("", 0, 1, 3, 4, 5, 6)
		f("status=5", 1)
		f("status=503", 1)
		f("status=404")
		f("outcome=ok&key=ci", 0, 4, 5, 6)
		f("key=zzzz2345", 3)
		f("user=bob", 3)
		f("end_user=u1", 1)
		f("model=clau*", 3)
		f("from="+url.QueryEscape(a.clock.Add(-4*time.Minute).Format(time.RFC3339)), 0, 1, 3)
		f("to="+url.QueryEscape(a.clock.Add(-4*time.Minute).Format(time.RFC3339)), 4, 5, 6)
		a.wants(400, token, "GET", "/requests?workspace=team&cursor=eHh4", "")
		a.wants(403, token, "GET", "/requests?workspace=other", "")
		a.wants(403, token, "GET", "/requests?workspace=*", "")
		a.wants(200, a.root, "GET", "/requests?workspace=*", "")
	})
}

func TestRequests_Explain(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		token := a.user("eve@example.com", "team", storage.RoleEngineer)
		first := a.called(time.Minute, func(e *storage.Entry) {
			e.Final, e.Status, e.UpstreamStatus, e.Outcome, e.Provider = false, 503, 503, storage.OutcomeUpstreamError, "one"
		})
		last := first
		last.Attempt, last.Final, last.Status, last.UpstreamStatus, last.Outcome, last.Provider = 2, true, 200, 200, storage.OutcomeOK, "two"
		last.Holds = []storage.Hold{{Counter: "budget:{team}key/ci:usd:day:", Unit: storage.UnitNano, Limit: 10, Held: 5, Spent: 2}}
		last.Plan = []storage.Candidate{
			{Provider: "zero", Model: "gpt", Fate: storage.FateBreaker},
			{Provider: "one", Model: "gpt", Fate: storage.FateFailed, Fault: "overloaded"}, {Provider: "two", Model: "gpt", Fate: storage.FateServed},
		}
		plain := a.called(time.Minute, func(e *storage.Entry) { e.Credential = "main" })
		do(t, a.books.Write(t.Context(), []storage.Entry{first, last, plain}))
		var got RequestShown
		do(t, json.Unmarshal([]byte(a.wants(200, token, "GET", fmt.Sprintf("/requests/%s?workspace=team", last.RequestID), "").body), &got))
		if got.Attempts != 2 || got.Provider != "two" || got.TotalUSD != "0.003" || len(got.Tries) != 2 || got.Tries[0].Status != 503 || got.Tries[1].PriceID != "mock/gpt@1" {
			t.Errorf("%+v", got)
		}
		if len(got.Candidates) != 3 || got.Candidates[0].Fate != storage.FateBreaker || got.Candidates[1].Fault != "overloaded" {
			t.Errorf("candidates %+v", got.Candidates)
		}
		if len(got.Tries[1].Holds) != 1 || got.Tries[1].Holds[0] != last.Holds[0] {
			t.Errorf("holds %+v", got.Tries[1].Holds)
		}
		do(t, json.Unmarshal([]byte(a.wants(200, token, "GET", fmt.Sprintf("/requests/%s?workspace=team", plain.RequestID), "").body), &got))
		if want := (storage.Candidate{Provider: "mock", Model: "gpt", Credential: "main", Fate: storage.FateServed}); len(got.Candidates) != 1 || got.Candidates[0] != want {
			t.Errorf("candidates %+v", got.Candidates)
		}
		// Another workspace's is none that there is.
		a.wants(404, a.root, "GET", fmt.Sprintf("/requests/%s?workspace=other", last.RequestID), "")
		a.wants(403, token, "GET", fmt.Sprintf("/requests/%s?workspace=other", last.RequestID), "")
		a.wants(404, token, "GET", "/requests/0198c2a4-7d1e-7b3c-9a55-0123456789ab?workspace=team", "")
		a.wants(404, token, "GET", "/requests/nonsense?workspace=team", "")
	})
}
