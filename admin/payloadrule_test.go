package admin

import (
	"strings"
	"testing"
)

// A project says what is kept of its calls in words that mean something, and shows it as it was said.
func TestProject_Payloads(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		const said = `"payloads":{"keep":"30d","request":true,"redact":[]}`
		a.wants(201, a.root, "POST", "/projects", `{"name":"kept",`+said+`}`)
		if got := a.wants(200, a.root, "GET", "/projects/kept", ""); !strings.Contains(got.body, said) {
			t.Errorf("shown: %s", got.body)
		}
		for body, why := range map[string]string{
			`{"keep":"a month","request":true}`: "not a duration",
			`{"keep":"720h"}`:                   "nothing would be kept",
			`{"request":true}`:                  "keep is missing",
			`{"keep":"1h","kind":"all"}`:        "kind",
		} {
			if got := a.wants(422, a.root, "POST", "/projects", `{"name":"x","payloads":`+body+`}`); !strings.Contains(got.body, why) {
				t.Errorf("%s: %s, want it to say %q", body, got.body, why)
			}
		}
	})
}
