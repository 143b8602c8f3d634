package main

import (
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

func TestOIDCConfig(t *testing.T) {
	if mustLoad(t, "providers: [{name: mock}]").OIDC.options() != nil {
		t.Error("there is an identity provider that nobody configured")
	}
	const good = "issuer: 'https://id.example.com', client_id: a, redirect_url: 'http://127.0.0.1:8081/admin/v1/session/oidc/callback'"
	o := mustLoad(t, "providers: [{name: mock}]\noidc: {"+good+", groups: [{group: g, role: engineer, workspace: team}], domains: [Example.com]}").OIDC.options()
	if o.GroupsClaim != "groups" || o.Scopes[0] != "openid" || o.Domains[0] != "example.com" || o.Groups[0].Membership != (storage.Membership{Workspace: "team", Role: storage.RoleEngineer}) {
		t.Errorf("got %+v", o)
	}
	for text, why := range map[string]string{
		strings.Replace(good, "https://id", "http://id", 1):                "oidc.issuer: is not https",
		strings.Replace(good, "http://127.0.0.1", "http://gateway", 1):     "oidc.redirect_url: is not https",
		strings.Replace(good, "client_id: a, ", "", 1):                     "oidc.client_id: is missing",
		good + ", scopes: [email]":                                         "oidc.scopes: lacks openid",
		good + ", groups: [{group: g, role: god, workspace: team}]":        `oidc.groups[0]: role: "god"`,
		good + ", groups: [{group: g, role: viewer, workspace: '../x'}]":   "oidc.groups[0]: workspace",
		good + ", groups: [{role: viewer, workspace: team}]":               "oidc.groups[0].group: is missing",
		strings.Replace(good, "https://id.", "https://user:secret@id.", 1): "oidc.issuer: is no URL",
	} {
		_, err := loadConfig(writeConfig(t, "providers: [{name: mock}]\noidc: {"+text+"}"), variables())
		if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: %v, want %q", text, err, why)
		}
	}
}
