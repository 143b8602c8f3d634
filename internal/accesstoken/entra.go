package accesstoken

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// entraScope is what the tokens may do: use Azure's AI services.
const entraScope = "https://cognitiveservices.azure.com/.default"

// application is an app registration with a client secret.
//
// Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
type application struct{ id, secret, tokenURL string }

var tenantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)

// readApplication reads what `az ad sp create-for-rbac` prints, in either of its forms, or the same
// members as the protocol names them.
func readApplication(secret storage.Secret, tokenURL string) (grant, error) {
	var said struct {
		Tenant   string `json:"tenant"`
		AppID    string `json:"appId"`
		Password string `json:"password"`

		TenantID     string `json:"tenantId"`
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`

		WireTenant string `json:"tenant_id"`
		WireID     string `json:"client_id"`
		WireSecret string `json:"client_secret"`
	}
	if json.Unmarshal([]byte(secret.Reveal()), &said) != nil {
		return nil, errors.New("the credential is neither a key nor the JSON of an application of Entra ID")
	}
	tenant := cmp.Or(said.Tenant, said.TenantID, said.WireTenant)
	a := application{
		id: cmp.Or(said.AppID, said.ClientID, said.WireID), secret: cmp.Or(said.Password, said.ClientSecret, said.WireSecret), tokenURL: tokenURL,
	}
	switch {
	case !tenantName.MatchString(tenant):
		return nil, errors.New("the application of Entra ID has no tenant, or none that could be one")
	case a.id == "":
		return nil, errors.New("the application of Entra ID has no client_id")
	case a.secret == "":
		return nil, errors.New("the application of Entra ID has no client_secret; certificates and federated credentials are not known")
	}
	if a.tokenURL == "" {
		a.tokenURL = "https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0/token"
	}
	return a, nil
}

func (a application) what() string { return "the application of Entra ID" }

func (a application) form(time.Time) (string, url.Values, error) {
	return a.tokenURL, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {a.id}, "client_secret": {a.secret}, "scope": {entraScope},
	}, nil
}
