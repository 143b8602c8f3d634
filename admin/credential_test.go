package admin

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const canary = "sk-canary-0123456789-abcdefghij"

// Of providers the tests' API knows openai and mine.
func (a *testAPI) Address(provider string) (string, error) {
	address, ok := map[string]string{"openai": "https://api.openai.com/v1", "mine": "http://10.0.0.7:8000/v1"}[provider]
	if !ok {
		return "", errors.New("nobody knows it")
	}
	return address, nil
}

func (a *testAPI) Overrides(provider string) bool { return provider == "mine" }

func (a *testAPI) Allowed(baseURL string) error {
	if strings.Contains(baseURL, "169.254.") {
		return errors.New("the address may not be called")
	}
	return nil
}

func (a *testAPI) Try(_ context.Context, c *storage.Credential, v *storage.Vault) (storage.CredentialTest, error) {
	address, err := a.Address(c.Provider)
	if err == nil {
		_, err = c.Open(v, address)
	}
	a.tried.At = a.clock
	return a.tried, err
}

func TestCredentials(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(201, a.root, "POST", "/workspaces", `{"name":"team"}`)
		engineer := a.user("grace@example.com", "team", storage.RoleEngineer)
		made := a.wants(201, engineer, "POST", "/credentials?workspace=team", `{"name":"openai","label":"of the team","owner":"grace","secret":" `+canary+`\n"}`)
		for member, want := range map[string]any{
			"provider": "openai", "target": "https://api.openai.com:443", "secret": secretMask, "hint": "ghij", "label": "of the team", "owner": "grace", "default": false,
		} {
			if got := made.field(t, member); got != want {
				t.Errorf("%s is %v, want %v", member, got, want)
			}
		}
		a.wants(409, engineer, "POST", "/credentials?workspace=team", `{"name":"openai","secret":"`+canary+`"}`)
		a.wants(201, engineer, "POST", "/credentials?workspace=team", `{"name":"spare","provider":"openai","default":true,"secret":"another-secret"}`)

		path := "/credentials/openai?workspace=team"
		tag := a.wants(200, engineer, "GET", path, "").header.Get("etag")
		a.wants(428, engineer, "PATCH", path, `{"default":true}`)
		a.wants(200, engineer, "PATCH", path, `{"default":true,"label":""}`, "If-Match", tag)
		a.wants(412, engineer, "PATCH", path, `{"default":true}`, "If-Match", tag)
		if got := a.wants(200, engineer, "GET", "/credentials/spare?workspace=team", "").field(t, "default"); got != false {
			t.Error("two credentials are the workspace's first choice")
		}
		if got := a.opens("team", "openai"); got != canary {
			t.Error("another secret comes out after a change of the label")
		}
		a.wants(200, engineer, "PATCH", path, `{"secret":"a-rotated-secret-of-some-length"}`, "If-Match", "*")
		if got := a.opens("team", "openai"); got != "a-rotated-secret-of-some-length" {
			t.Error("the secret was not replaced")
		}
		a.wants(404, a.root, "GET", "/credentials/openai", "") // it is the team's
		if list := a.wants(200, a.root, "GET", "/credentials?workspace=*&limit=1", ""); !strings.Contains(list.body, `"next_cursor"`) {
			t.Errorf("%s has no second page", list.body)
		}
		a.wants(403, engineer, "GET", "/credentials?workspace=*", "")
		a.wants(204, engineer, "DELETE", path, "", "If-Match", "*")
		a.wants(404, engineer, "DELETE", path, "", "If-Match", "*")
		a.nowhere(t, canary, "another-secret", "a-rotated-secret-of-some-length")
	})
}

// opens gives a credential's secret as the data plane would open it.
func (a *testAPI) opens(workspace, name string) string {
	a.t.Helper()
	all, err := a.store.Credentials(a.t.Context())
	do(a.t, err)
	for _, c := range all {
		if c.Workspace == workspace && c.Name == name {
			address, err := a.Address(c.Provider)
			do(a.t, err)
			secret, err := c.Open(a.vault.Vault, address)
			do(a.t, err)
			return secret.Reveal()
		}
	}
	a.t.Fatalf("no credential %s/%s", workspace, name)
	return ""
}

// nowhere fails where the audit log has one of these texts.
func (a *testAPI) nowhere(t *testing.T, secrets ...string) {
	t.Helper()
	_, err := a.auditor.chain(t.Context())
	do(t, err)
	log := a.wants(200, a.root, "GET", "/audit?limit=200", "").body
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the audit log has %q", secret)
		}
	}
	if !strings.Contains(log, `"credentials.write"`) {
		t.Errorf("the audit log has no change of a credential: %s", log)
	}
}

// Where a secret is sent is an admin's to say, and a stored one is sent to no other place.
func TestCredentialAddresses(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(201, a.root, "POST", "/workspaces", `{"name":"team"}`)
		engineer, admin := a.user("grace@example.com", "team", storage.RoleEngineer), a.user("ada@example.com", "team", storage.RoleAdmin)
		const at, secret = "/credentials?workspace=team", `,"secret":"` + canary + `"}`
		a.wants(403, engineer, "POST", at, `{"name":"openai","base_url":"https://evil.example.com/v1"`+secret)
		a.wants(403, engineer, "POST", at, `{"name":"own","base_url":"https://own.example.com/v1"`+secret)
		for _, bad := range []string{"http://169.254.169.254/", "ftp://example.com", "https://user:pass@example.com", "https://", "x"} {
			got := a.wants(422, admin, "POST", at, `{"name":"own","base_url":"`+bad+`"`+secret)
			if strings.Contains(got.body, "pass@") {
				t.Errorf("the answer repeats %s", bad)
			}
		}
		if got := a.wants(201, admin, "POST", at, `{"name":"own","base_url":"https://own.example.com/v1"`+secret).field(t, "target"); got != "https://own.example.com:443" {
			t.Errorf("the target is %v", got)
		}
		a.wants(201, engineer, "POST", at, `{"name":"mine"`+secret) // the configuration names its private address
		a.wants(201, admin, "POST", at, `{"name":"mine-2","provider":"mine","base_url":"http://10.0.0.7:8000/other"`+secret)

		a.wants(201, engineer, "POST", at, `{"name":"openai"`+secret)
		const one = "/credentials/openai?workspace=team"
		a.wants(422, admin, "PATCH", one, `{"base_url":"https://own.example.com"}`, "If-Match", "*")
		a.wants(422, engineer, "PATCH", one, `{"provider":"mine"}`, "If-Match", "*")
		a.wants(403, engineer, "PATCH", one, `{"base_url":"https://evil.example.com"`+secret, "If-Match", "*")
		a.wants(200, admin, "PATCH", one, `{"base_url":"https://proxy.example.com","secret":"a-secret-for-there"}`, "If-Match", "*")
		a.wants(409, engineer, "POST", "/credentials/openai/test?workspace=team", "") // the provider is elsewhere, so nothing is sent
		a.nowhere(t, canary, "a-secret-for-there")
	})
}

func TestCredentialTests(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		a.wants(201, a.root, "POST", "/credentials", `{"name":"openai","secret":"`+canary+`"}`)
		before, err := a.store.Credentials(t.Context())
		do(t, err)
		const path = "/credentials/openai"
		for _, test := range []storage.CredentialTest{
			{Outcome: "ok", Took: 120 * time.Millisecond}, {Outcome: "refused", Status: 401, Message: "no such key"}, {Outcome: "unreachable", Message: "no such host"},
		} {
			a.tried = test
			got := a.wants(200, a.root, "POST", path+"/test", "", "Idempotency-Key", "one") // it is asked anew each time
			if got.field(t, "outcome") != test.Outcome {
				t.Errorf("%s, want %s", got.body, test.Outcome)
			}
			kept, err := json.Marshal(a.wants(200, a.root, "GET", path, "").field(t, "last_test"))
			do(t, err)
			if !strings.Contains(string(kept), `"outcome":"`+test.Outcome+`"`) {
				t.Errorf("kept is %s", kept)
			}
		}
		after, err := a.store.Credentials(t.Context())
		do(t, err)
		if after[0].Revision != before[0].Revision || after[0].LastUsedAt == nil {
			t.Errorf("a test is a use and no change: %+v", after[0])
		}
		a.wants(404, a.root, "POST", "/credentials/other/test", "")
		_, err = a.auditor.chain(t.Context())
		do(t, err)
		if log := a.wants(200, a.root, "GET", "/audit?action=credentials.test", "").body; strings.Count(log, `"credential/openai"`) != 3 || !strings.Contains(log, "no such key") {
			t.Errorf("the audit log has %s", log)
		}
	})
}

func TestCredentialsRefused(t *testing.T) {
	onStores(t, func(t *testing.T, a *testAPI) {
		for _, bad := range []string{
			`{"name":"openai"}`, `{"name":"openai","secret":""}`, `{"name":"openai","secret":"two lines\r\nx-evil: 1"}`, `{"name":"openai","secret":"ключ"}`,
			`{"name":"a/b","secret":"x"}`, `{"name":"","secret":"x"}`, `{"name":"unheard-of","secret":"x"}`, `{"name":"openai","secret":"x","id":"1"}`,
			`{"name":"openai","secret":"x","data_key":"dk-1"}`, `{"name":"openai","secret":"x","workspace":"other"}`, `{"name":"openai","secret":7}`,
			`{"name":"openai","secret":"` + strings.Repeat("a", 65537) + `"}`, `{"name":"openai","secret":"x","label":"` + strings.Repeat("a", 257) + `"}`,
			`{"name":"openai","secret":"x","secret":"y"}`,
		} {
			if got := a.ask(a.root, "POST", "/credentials", bad); got.status != 422 && got.status != 400 || strings.Contains(got.body, "x-evil") {
				t.Errorf("%.80s: %d %s", bad, got.status, got.body)
			}
		}
		a.wants(404, a.root, "POST", "/credentials?workspace=unheard-of", `{"name":"openai","secret":"`+canary+`"}`)
		if list := a.wants(200, a.root, "GET", "/credentials?workspace=*", "").body; list != `{"data":[]}` {
			t.Errorf("kept all the same: %s", list)
		}
		first := a.wants(201, a.root, "POST", "/credentials", `{"name":"openai","secret":"`+canary+`"}`, "Idempotency-Key", "k")
		again := a.wants(201, a.root, "POST", "/credentials", `{"name":"openai","secret":"`+canary+`"}`, "Idempotency-Key", "k")
		if first.body != again.body || again.header.Get("idempotency-replayed") != "true" {
			t.Errorf("%s and %s", first.body, again.body)
		}
	})
}
