package accesstoken

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// Source keeps one credential's token. One goroutine at a time makes a new one; it ends with Close.
type Source struct {
	grant  grant
	client *http.Client
	now    func() time.Time
	ctx    context.Context // of the goroutine, which outlives the requests that wait for it
	stop   context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	token  storage.Secret
	ends   time.Time
	failed time.Time     // when the last one could not be made
	err    error         // why
	under  chan struct{} // closed when the token under way is made, or is not; nil where none is
}

// NewSource reads a secret and begins to make the first token. An empty tokenURL is the minter's own;
// way is how it is asked.
func NewSource(minter string, secret storage.Secret, tokenURL string, way http.RoundTripper) (*Source, error) {
	g, err := read(minter, secret, tokenURL)
	if err != nil {
		return nil, err
	}
	s := newSource(g, time.Now, way)
	s.mu.Lock()
	s.begin()
	s.mu.Unlock()
	return s, nil
}

func newSource(g grant, now func() time.Time, way http.RoundTripper) *Source {
	s := &Source{grant: g, now: now, client: &http.Client{
		Timeout:       patience,
		Transport:     way,
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
			return storage.Secret{}, errors.New("the configuration has changed, and with it the credential")
		case under == nil:
			return storage.Secret{}, err
		}
		select {
		case <-under:
		case <-ctx.Done():
			return storage.Secret{}, fmt.Errorf("wait for a token of %s: %w", s.grant.what(), ctx.Err())
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

// make asks for a token.
func (s *Source) make() (token storage.Secret, ends time.Time, err error) {
	began := s.now()
	tokenURL, form, err := s.grant.form(began)
	if err != nil {
		return token, ends, err
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return token, ends, fmt.Errorf("token_url: %w", err)
	}
	req.Header.Set("content-type", "application/x-www-form-urlencoded")
	resp, err := s.client.Do(req)
	if err != nil {
		return token, ends, fmt.Errorf("ask for a token of %s: %w", s.grant.what(), err)
	}
	defer func() { _ = resp.Body.Close() }()
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return token, ends, fmt.Errorf("read the token server's answer: %w", err)
	}
	token, ends, err = readToken(resp.StatusCode, body, began)
	if err != nil {
		err = fmt.Errorf("the token server gives none for %s: %w", s.grant.what(), err)
	}
	return token, ends, err
}
