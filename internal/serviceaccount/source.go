package serviceaccount

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aistrale/aistrale/storage"
)

const (
	early    = 5 * time.Minute  // before its end a token is made anew, beside the requests that still use it
	spare    = 30 * time.Second // before its end a token is no longer used
	patience = 10 * time.Second // with the token server, for one token
	pause    = 2 * time.Second  // after a failure, in which no other is asked for
)

// Source keeps one account's token. One goroutine at a time makes a new one; it ends with Close.
type Source struct {
	account *account
	client  *http.Client
	now     func() time.Time
	ctx     context.Context // of the goroutine, which outlives the requests that wait for it
	stop    context.CancelFunc
	wg      sync.WaitGroup

	mu     sync.Mutex
	token  storage.Secret
	ends   time.Time
	failed time.Time     // when the last one could not be made
	err    error         // why
	under  chan struct{} // closed when the token under way is made, or is not; nil where none is
}

// NewSource reads a key file and begins to make the first token. An empty tokenURL is the file's
// own, which must be Google's.
func NewSource(secret storage.Secret, tokenURL string) (*Source, error) {
	a, err := read(secret, tokenURL)
	if err != nil {
		return nil, err
	}
	s := newSource(a, time.Now)
	s.mu.Lock()
	s.begin()
	s.mu.Unlock()
	return s, nil
}

func newSource(a *account, now func() time.Time) *Source {
	s := &Source{account: a, now: now, client: &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends what is under way. Who waits for a token gets an error.
func (s *Source) Close() {
	s.stop()
	s.wg.Wait()
	s.client.CloseIdleConnections()
}

// Token gives a token that holds for half a minute at least. Where the one at hand ends soon, the
// next is made beside; only where there is none does the caller wait.
func (s *Source) Token(ctx context.Context) (storage.Secret, error) {
	for {
		s.mu.Lock()
		now := s.now()
		left := s.ends.Sub(now)
		rests := now.Sub(s.failed) < pause
		if left < early && s.under == nil && !rests && s.ctx.Err() == nil {
			s.begin()
		}
		token, under, err := s.token, s.under, s.err
		s.mu.Unlock()
		switch {
		case left > spare:
			return token, nil
		case under == nil && s.ctx.Err() != nil:
			return storage.Secret{}, errors.New("the configuration has changed, and with it the service account")
		case under == nil:
			return storage.Secret{}, err
		}
		select {
		case <-under:
		case <-ctx.Done():
			return storage.Secret{}, fmt.Errorf("wait for a token of the service account: %w", ctx.Err())
		}
	}
}

// begin makes a token in a goroutine of its own. s.mu is held.
func (s *Source) begin() {
	s.under = make(chan struct{})
	s.wg.Go(func() {
		token, ends, err := s.make()
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.under)
		s.under = nil
		if err != nil {
			s.failed, s.err = s.now(), err
			return
		}
		s.token, s.ends, s.failed, s.err = token, ends, time.Time{}, nil
	})
}

// make exchanges an assertion for a token.
func (s *Source) make() (token storage.Secret, ends time.Time, err error) {
	began := s.now()
	assertion, err := s.account.assertion(began)
	if err != nil {
		return token, ends, err
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.account.tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return token, ends, fmt.Errorf("token_url: %w", err)
	}
	req.Header.Set("content-type", "application/x-www-form-urlencoded")
	resp, err := s.client.Do(req)
	if err != nil {
		return token, ends, fmt.Errorf("ask for a token of the service account: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return token, ends, fmt.Errorf("read the token server's answer: %w", err)
	}
	return readToken(resp.StatusCode, body, began)
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
		return token, ends, fmt.Errorf("the token server refuses the service account with status %d: %s %s", status, clip(said.Error), clip(said.Description))
	case said.AccessToken == "":
		return token, ends, errors.New("the token server's answer has no access_token")
	}
	if said.ExpiresIn <= 0 {
		said.ExpiresIn = 3600
	}
	return storage.NewSecret(said.AccessToken), now.Add(time.Duration(said.ExpiresIn) * time.Second), nil
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 200)], "") }
