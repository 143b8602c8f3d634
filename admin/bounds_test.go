package admin

import (
	"maps"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// What is wrong with limits and budgets is named by its member, of keys and of who holds them.
func TestBounds_Refused(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		settings := map[string]string{
			`"limits":[{"concurrent":1},{}]`:                                       "limits[1]",
			`"limits":[{"concurrent":1},{"concurrent":2}]`:                         "concurrent is limited twice",
			`"budgets":[{"usd":"1.0000000001","per":"day"}]`:                       "budgets[0]: usd",
			`"budgets":[{"usd":"1","per":"day"},{"usd":"2","per":"day"}]`:          "two budgets per day",
			`"budgets":[{"usd":"1","per":"someday"}]`:                              "budgets[0]: per",
			`"budgets":[{"usd":"1","per":"day","scope":"all"}]`:                    "scope",
			`"limits":[{"scope":"all","concurrent":1}]`:                            "scope",
			`"limits":[{"requests_per_minute":9223372036854775807}]`:               "requests_per_minute",
			`"budgets":[{"usd":"1","per":"day","soft":[50,50]}]`:                   "soft",
			`"budgets":[{"usd":"1","per":"day","unpriced":"cap"}]`:                 "unpriced",
			`"limits":[{"tokens_per_minute":1,"count":"some"}]`:                    "count",
			`"budgets":[{"usd":"1","per":"total","time_zone":"Europe/Berlin"}]`:    "time_zone",
			`"limits":[{"concurrent":1,"models":["a","a"]}]`:                       "models",
			`"budgets":[{"usd":"1","per":"day","models":["*x*"]}]`:                 "models",
			`"budgets":[{"usd":"1","per":"day","time_zone":"Mars/Olympus_Mons"}]`:  "time_zone",
			`"limits":[{"requests_per_minute":1,"burst_tokens":1}]`:                "burst_tokens",
			`"budgets":[{"usd":"1","per":"500d"}]`:                                 "per",
			`"budgets":[{"usd":"-1","per":"day"}]`:                                 "usd",
			`"limits":[{"concurrent":-1}]`:                                         "concurrent",
			`"limits":[{"models":["x"]}]`:                                          "limits nothing",
			`"budgets":[{"tokens":1,"per":"day","count":"input"},{"per":"month"}]`: "budgets[1]",
		}
		for text, why := range settings {
			for path, body := range map[string]string{
				"/keys":       `{"name":"x","settings":{` + text + `}}`,
				"/projects":   `{"name":"x",` + text + `}`,
				"/workspaces": `{"name":"x",` + text + `}`,
			} {
				if got := a.ask(a.root, "POST", path, body); got.status != 422 || !strings.Contains(got.body, why) {
					t.Errorf("%s: %s: %d %s, want it to say %q", path, text, got.status, got.body, why)
				}
			}
		}
		for _, member := range []string{"each_project", "each_user", "each_key", "self_service"} {
			got := a.wants(422, a.root, "POST", "/workspaces", `{"name":"x","`+member+`":{"limits":[{"models":["x"]}]}}`)
			if !strings.Contains(got.body, member+".limits[0]") {
				t.Errorf("got %s", got.body)
			}
		}
	})
}

// Everything that a workspace, its projects and its keys are bounded by, by whom it stands on.
func TestEachBound(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		one := func(n string) string { return `{"limits":[{"concurrent":` + n + `}]}` }
		a.wants(201, a.root, "POST", "/workspaces", `{"name":"team","limits":[{"concurrent":1}],"each_project":`+one("2")+`,"each_user":`+one("3")+`,"each_key":`+one("4")+`,"self_service":`+one("5")+`}`)
		a.wants(201, a.root, "POST", "/projects?workspace=team", `{"name":"search","limits":[{"concurrent":6}],"budgets":[{"usd":"9","per":"month"}]}`)
		shown := a.wants(200, a.root, "GET", "/projects/search?workspace=team", "")
		if !strings.Contains(shown.body, `"budgets":[{"usd":"9","per":"month"}]`) {
			t.Errorf("got %s", shown.body)
		}
		got := map[string]int64{}
		for _, workspace := range []string{"", storage.Everywhere} {
			all, err := a.store.Tenants(t.Context(), workspace)
			do(t, err)
			for i := range all {
				do(t, EachBound(&all[i], func(s storage.Scope, b *storage.Bounds) error {
					limits, _, err := b.Of(s)
					got[s.String()] = limits[0].Concurrent
					return err
				}))
			}
		}
		want := map[string]int64{"team:workspace/team": 1, "team:project/*": 2, "team:user/*": 3, "team:key/*": 4, "team:project/search": 6}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// Engineers give their own keys no more than the workspace allows, and take no limit off.
func TestBounds_SelfService(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(200, a.root, "PUT", "/workspaces/default", `{"self_service":{"limits":[{"requests_per_minute":60}],"budgets":[{"usd":"5","per":"month"}]}}`, "If-Match", "*")
		ada := a.user("ada", "default", storage.RoleEngineer)
		made := a.wants(201, ada, "POST", "/keys", `{"name":"mine"}`)
		if !strings.Contains(made.body, `"requests_per_minute":60`) || !strings.Contains(made.body, `"usd":"5"`) {
			t.Errorf("a key that says nothing has not what is given: %s", made.body)
		}
		id := "/keys/" + made.field(t, "id").(string)
		const budget, limit = `"budgets":[{"usd":"5","per":"month"}]`, `"limits":[{"requests_per_minute":60}]`
		for settings, why := range map[string]string{
			`{` + budget + `}`: "settings.limits", `{` + limit + `}`: "settings.budgets",
			`{"limits":[{"requests_per_minute":61}],` + budget + `}`:                                                      "settings.limits",
			`{"limits":[{"requests_per_minute":60,"models":["mock/*"]}],` + budget + `}`:                                  "settings.limits",
			`{"budgets":[{"usd":"6","per":"month"}],` + limit + `}`:                                                       "settings.budgets",
			`{"budgets":[{"usd":"5","per":"month","hard":false}],` + limit + `}`:                                          "settings.budgets",
			`{"budgets":[{"usd":"5","per":"month","unbounded":"allow"}],` + limit + `}`:                                   "settings.budgets",
			`{"limits":[{"requests_per_minute":60,"models":["x"]}],"budgets":[{"usd":"1","per":"month","models":["x"]}]}`: "settings.limits",
		} {
			for _, got := range []answerOf{
				a.ask(ada, "PATCH", id, `{"settings":`+settings+`}`, "If-Match", "*"), a.ask(ada, "POST", "/keys", `{"name":"other","settings":`+settings+`}`),
			} {
				if got.status != 403 || !strings.Contains(got.body, why) {
					t.Errorf("%s: %d %s, want it to say %q", settings, got.status, got.body, why)
				}
			}
		}
		tighter := a.wants(200, ada, "PATCH", id, `{"settings":{"limits":[{"requests_per_minute":6}],"budgets":[{"usd":"1","per":"month"},{"usd":"0.1","per":"day"}]}}`, "If-Match", "*")
		if !strings.Contains(tighter.body, `"requests_per_minute":6}`) {
			t.Errorf("got %s", tighter.body)
		}
		dropped := a.wants(200, ada, "PATCH", id, `{"settings":{}}`, "If-Match", "*")
		if !strings.Contains(dropped.body, `"requests_per_minute":60`) || !strings.Contains(dropped.body, `"usd":"5"`) {
			t.Errorf("dropping the bounds leaves %s", dropped.body)
		}
		a.wants(201, a.root, "POST", "/keys", `{"name":"free"}`) // an admin's are not bounded
	})
}
