package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os/user"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage"
)

// controlCommand is a command that works through the control plane's API: that of a running
// gateway where a URL is given, else that of this process, on the store that the configuration names.
type controlCommand struct {
	*storeCommand
	url string
}

func newControlCommand(env environment, usage string) *controlCommand {
	c := &controlCommand{storeCommand: newStoreCommand(env, usage)}
	c.flags.StringVar(&c.url, "url", env.Getenv("AISTRALE_ADMIN_URL"), "the control plane of a running gateway; without it, the store")
	return c
}

// maxAnswer bounds an answer of the API in bytes.
const maxAnswer = 64 << 20

const apiTimeout = time.Minute

// withAPI hands a client of the API to do.
func (c *controlCommand) withAPI(ctx context.Context, do func(*apiClient) error) (err error) {
	if c.url != "" {
		token := c.env.Getenv("AISTRALE_ADMIN_TOKEN")
		if token == "" {
			return usagef("AISTRALE_ADMIN_TOKEN is not set: an API token is needed for %s\n%s", c.url, c.usage)
		}
		return do(&apiClient{http: &http.Client{Timeout: apiTimeout}, url: strings.TrimSuffix(c.url, "/"), token: storage.NewSecret(token)})
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
	audits, err := auditor(s, config, log)
	if err != nil {
		return err
	}
	return do(&apiClient{http: &http.Client{Transport: admin.InProcess{API: controlAPI(s, func() *Config { return config }, audits, log), Name: operator()}}, url: "http://store"})
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
	http  *http.Client
	url   string
	token storage.Secret // "" in process
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
	if method == http.MethodPatch || method == http.MethodDelete {
		r.Header.Set("if-match", "*") // a person who types a command means what is there
	}
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
