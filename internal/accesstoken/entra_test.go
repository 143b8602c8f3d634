package accesstoken

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// What az prints, in both forms, and what the protocol calls it.
const (
	azForRBAC = `{"appId":"11111111-2222-3333-4444-555555555555","displayName":"gateway","password":"s3cret~value","tenant":"contoso.onmicrosoft.com"}`
	azJSON    = `{"clientId":"11111111-2222-3333-4444-555555555555","clientSecret":"s3cret~value","tenantId":"contoso.onmicrosoft.com","subscriptionId":"x"}`
	asWire    = `{"client_id":"11111111-2222-3333-4444-555555555555","client_secret":"s3cret~value","tenant_id":"contoso.onmicrosoft.com"}`
)

func TestApplication(t *testing.T) {
	asked := make(chan url.Values, 3)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.ParseForm() != nil {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		asked <- r.PostForm
		fmt.Fprint(w, `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ0.e30.sig"}`)
	}))
	defer server.Close()
	for _, text := range []string{azForRBAC, azJSON, asWire} {
		source, err := NewSource(Entra, storage.NewSecret(text), server.URL, &http.Transport{})
		if err != nil {
			t.Fatal(err)
		}
		token, err := source.Token(t.Context())
		if err != nil || token.Reveal() != "eyJ0.e30.sig" {
			t.Errorf("token %q, %v", token.Reveal(), err)
		}
		source.Close()
		got, want := (<-asked).Encode(), "client_id=11111111-2222-3333-4444-555555555555&client_secret=s3cret~value&grant_type=client_credentials&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
		if got != want {
			t.Errorf("asked with %s\nwant %s", got, want)
		}
	}
}

// Without a token_url it is the tenant's own, at Microsoft.
func TestApplication_tokenURL(t *testing.T) {
	g, err := readApplication(storage.NewSecret(azForRBAC), "")
	if err != nil {
		t.Fatal(err)
	}
	at, _, err := g.form(time.Now())
	if want := "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"; at != want || err != nil {
		t.Errorf("asked at %s, %v, want %s", at, err, want)
	}
}

func TestApplication_refused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`)
	}))
	defer server.Close()
	source, err := NewSource(Entra, storage.NewSecret(asWire), server.URL, &http.Transport{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	_, err = source.Token(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the application of Entra ID: status 401: invalid_client AADSTS7000215") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}

func TestCheck_entra(t *testing.T) {
	f := func(minter, secret, want string) {
		t.Helper()
		err := Check(minter, storage.NewSecret(secret), "")
		if want == "" && err == nil {
			return
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", secret, err, want)
		}
	}
	f(Entra, azForRBAC, "")
	f(Entra, `{"appId":"a","password":"s3cret"}`, "no tenant")
	f(Entra, `{"appId":"a","password":"s3cret","tenant":"../evil"}`, "no tenant")
	f(Entra, `{"password":"s3cret","tenant":"t"}`, "no client_id")
	f(Entra, `{"appId":"a","tenant":"t"}`, "no client_secret")
	f(Entra, `{"appId":`, "neither a key nor the JSON")
	f(Entra, `{"type":"service_account","client_email":"a@b"}`, "no tenant")
	f("nobody", azForRBAC, `nobody mints tokens as "nobody"`)
}
