package accesstoken

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// scope is what the tokens may do.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// account is what the key file of a Google service account says. A JWT signed with the key is
// exchanged for a token.
//
// Source: https://developers.google.com/identity/protocols/oauth2/service-account
type account struct {
	email, keyID string
	key          *rsa.PrivateKey
	tokenURL     string
}

// readAccount reads a key file. Its errors name the member that is wrong and quote nothing of it.
func readAccount(secret storage.Secret, tokenURL string) (grant, error) {
	var file struct {
		Type         string `json:"type"`
		ClientEmail  string `json:"client_email"`
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
		TokenURI     string `json:"token_uri"`
	}
	if json.Unmarshal([]byte(secret.Reveal()), &file) != nil {
		return nil, errors.New("the credential is neither a token nor the JSON of a service account's key")
	}
	if file.Type != "service_account" {
		return nil, fmt.Errorf("the credential's type is %q, and only service_account is known", file.Type)
	}
	if file.ClientEmail == "" {
		return nil, errors.New("the service account's key has no client_email")
	}
	key, err := privateKey(file.PrivateKey)
	if err != nil {
		return nil, err
	}
	a := &account{email: file.ClientEmail, keyID: file.PrivateKeyID, key: key, tokenURL: tokenURL}
	if tokenURL == "" {
		a.tokenURL = file.TokenURI
		err = google(file.TokenURI)
	}
	return a, err
}

func privateKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the service account's private_key is no PEM")
	}
	if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := parsed.(*rsa.PrivateKey); ok {
			return key, nil
		}
		return nil, errors.New("the service account's private_key is no RSA key")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the service account's private_key cannot be read")
	}
	return key, nil
}

// google holds a key file's own token_uri to Google, so that a stored credential cannot have
// assertions sent elsewhere. An operator names any other address.
func google(tokenURI string) error {
	u, err := url.Parse(tokenURI)
	if err != nil || u.Scheme != "https" || u.Host != "oauth2.googleapis.com" && u.Host != "accounts.google.com" {
		return errors.New("the service account's token_uri is not Google's; set token_url where that is meant")
	}
	return nil
}

func (a *account) what() string { return "the service account" }

func (a *account) form(now time.Time) (string, url.Values, error) {
	assertion, err := a.assertion(now)
	return a.tokenURL, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}, err
}

// assertion is the signed statement that a token is given for.
func (a *account) assertion(now time.Time) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": a.keyID})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": a.email, "scope": scope, "aud": a.tokenURL, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign with the service account's key: %w", err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
