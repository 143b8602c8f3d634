// Package accesstoken mints access tokens with credentials that are never sent to an upstream
// themselves: a Google service account's key, an application of Microsoft's Entra ID. A token is
// kept until shortly before it ends.
package accesstoken

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Who mints tokens, as providers.Provider.Minted names it.
const (
	Google = "google"
	Entra  = "entra"
)

// A grant is what tokens are asked for with.
type grant interface {
	// what names it in errors.
	what() string
	// form is the request for one more token, and where it goes.
	form(now time.Time) (tokenURL string, form url.Values, err error)
}

// Is reports whether a secret is for minting, and no token or key to be sent as it is.
func Is(secret storage.Secret) bool {
	return strings.HasPrefix(strings.TrimSpace(secret.Reveal()), "{")
}

// Check says what is wrong with a secret, nil nothing. An empty tokenURL is the minter's own.
func Check(minter string, secret storage.Secret, tokenURL string) error {
	_, err := read(minter, secret, tokenURL)
	return err
}

func read(minter string, secret storage.Secret, tokenURL string) (grant, error) {
	switch minter {
	case Google:
		return readAccount(secret, tokenURL)
	case Entra:
		return readApplication(secret, tokenURL)
	}
	return nil, fmt.Errorf("nobody mints tokens as %q", minter)
}

// readToken reads the token server's answer. Its errors quote no more than the words meant for it.
func readToken(status int, body []byte, now time.Time) (token storage.Secret, ends time.Time, err error) {
	var said struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &said) // what is no JSON says nothing
	switch {
	case status != http.StatusOK:
		return token, ends, fmt.Errorf("status %d: %s %s", status, clip(said.Error), clip(said.Description))
	case said.AccessToken == "":
		return token, ends, errors.New("the answer has no access_token")
	}
	if said.ExpiresIn <= 0 {
		said.ExpiresIn = 3600
	}
	return storage.NewSecret(said.AccessToken), now.Add(time.Duration(said.ExpiresIn) * time.Second), nil
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 200)], "") }
