package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

// controlCommand is a command that works through the control plane's API: that of a running
// gateway where one is named, else that of this process, on the store that the configuration names.
type controlCommand struct {
	*storeCommand
	url, profile, tokenFile string
}

func newControlCommand(env environment, usage string) *controlCommand {
	c := &controlCommand{storeCommand: newStoreCommand(env, usage)}
	c.flags.StringVar(&c.url, "url", "", "the control plane of a running gateway; without it $AISTRALE_ADMIN_URL, the profile's, or the store here")
	c.flags.StringVar(&c.tokenFile, "token-file", "", "the file with an API token; without it $AISTRALE_ADMIN_TOKEN, or the profile's")
	c.flags.StringVar(&c.profile, "profile", "", "a gateway that aistrale login keeps; without it $AISTRALE_PROFILE, or the last one")
	return c
}

// maxAnswer bounds an answer of the API in bytes.
const maxAnswer = 64 << 20

const apiTimeout = time.Minute

// target says which gateway is asked, and with which token; an empty URL is the store here. Flags
// go before the environment, and that before the profile. A profile's token goes to the profile's
// gateway alone.
func (c *controlCommand) target() (at profile, err error) {
	if c.config != "" {
		if c.url != "" || c.profile != "" {
			return at, usagef("--config is the store here, --url and --profile a gateway: give one of them\n%s", c.usage)
		}
		return at, nil
	}
	known, err := loadProfiles(c.env.Getenv)
	if err != nil {
		return at, err
	}
	kept, err := known.named(cmp.Or(c.profile, c.env.Getenv("AISTRALE_PROFILE")))
	if err != nil {
		return at, err
	}
	at.URL, at.Token = cmp.Or(c.url, c.env.Getenv("AISTRALE_ADMIN_URL"), kept.URL), c.env.Getenv("AISTRALE_ADMIN_TOKEN")
	if c.profile != "" && c.url == "" {
		at = kept
	}
	if c.tokenFile != "" {
		text, err := os.ReadFile(c.tokenFile)
		if err != nil {
			return at, fmt.Errorf("--token-file: %w", err)
		}
		token, err := checkSecret("--token-file", string(text))
		at.Token = token.Reveal()
		return at, err
	}
	if at.Token == "" && at.URL == kept.URL {
		at.Token = kept.Token
	}
	if at.URL != "" && at.Token == "" {
		return at, usagef("an API token is needed for %s: AISTRALE_ADMIN_TOKEN, --token-file or aistrale login\n%s", at.URL, c.usage)
	}
	return at, nil
}

// withAPI hands a client of the API to do.
func (c *controlCommand) withAPI(ctx context.Context, do func(*apiClient) error) (err error) {
	at, err := c.target()
	if err != nil {
		return err
	}
	if at.URL != "" {
		return do(newAPIClient(at.URL, storage.NewSecret(at.Token)))
	}
	config, err := loadConfig(c.config, c.env.Getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(c.env.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := openStore(ctx, c.env, config, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	plane, err := newControl(s, config, log)
	if err != nil {
		return err
	}
	books := &atHand{c: c.storeCommand, config: config, nouns: s.nounStore}
	defer func() { err = errors.Join(err, books.close()) }()
	return do(&apiClient{http: &http.Client{Transport: admin.InProcess{API: plane.api(func() *Config { return config }, books), Name: operator()}}, url: "http://store"})
}

// operator gives the name of who types, for the audit log.
func operator() string {
	who, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return who.Username
}

// apiClient speaks with the API.
type apiClient struct {
	http    *http.Client
	url     string
	token   storage.Secret // "" in process
	session *http.Cookie   // in the place of a token, while login makes one
}

func newAPIClient(url string, token storage.Secret) *apiClient {
	return &apiClient{http: &http.Client{Timeout: apiTimeout}, url: strings.TrimSuffix(url, "/"), token: token}
}

// signIn opens a session with a password.
func (c *apiClient) signIn(ctx context.Context, user string, password storage.Secret) error {
	text, err := json.Marshal(map[string]string{"name": user, "password": password.Reveal()})
	if err != nil {
		return err
	}
	response, err := c.send(ctx, http.MethodPost, "/session", text)
	if err != nil {
		return err
	}
	for _, cookie := range response.Cookies() {
		c.session = &http.Cookie{Name: cookie.Name, Value: cookie.Value} //nolint:gosec // one that is sent has no attributes
	}
	return response.Body.Close()
}

// call sends a body, where there is one, and reads the answer's into out, where there is one.
// A problem of the API is an error of its text.
func (c *apiClient) call(ctx context.Context, method, path string, body, out any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	response, err := c.send(ctx, method, path, text)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil || out == nil || len(said) == 0 {
		return err
	}
	return json.Unmarshal(said, out)
}

// download copies what is at a path to where it is wanted, however much it is.
func (c *apiClient) download(ctx context.Context, path string, to io.Writer) error {
	response, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(to, response.Body)
	return err
}

// send gives the answer to a request that went well.
func (c *apiClient) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.url+"/admin/v1"+path, bytes.NewReader(body)) //nolint:gosec // the operator names the address
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	if body != nil {
		r.Header.Set("content-type", "application/json")
	}
	if !c.token.Empty() {
		r.Header.Set("authorization", "Bearer "+c.token.Reveal())
	}
	if c.session != nil {
		r.AddCookie(c.session)
	}
	r.Header.Set("if-match", "*") // a person who types a command means what is there
	response, err := c.http.Do(r) //nolint:gosec // as above
	if err != nil || response.StatusCode < http.StatusBadRequest {
		return response, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return nil, errors.Join(problemOf(response, said), err)
}

// problemOf is what the API said was wrong, for a person.
func problemOf(response *http.Response, said []byte) error {
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(said, &problem); err != nil || problem.Detail == "" {
		return fmt.Errorf("%s", response.Status)
	}
	text := problem.Detail
	for _, e := range problem.Errors {
		text += "; " + strings.TrimPrefix(e.Location, "body.") + ": " + e.Message
	}
	return errors.New(text)
}

// listOf reads a list, page by page, up to limit; 0 is all of it.
func listOf[T any](ctx context.Context, c *apiClient, path string, limit int) ([]T, error) {
	all := []T{}
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for cursor := ""; ; {
		var page struct {
			Data       []T    `json:"data"`
			NextCursor string `json:"next_cursor"`
		}
		if err := c.call(ctx, http.MethodGet, path+join+"limit=200&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		switch {
		case limit > 0 && len(all) >= limit:
			return all[:limit], nil
		case page.NextCursor == "":
			return all, nil
		}
		cursor = page.NextCursor
	}
}
