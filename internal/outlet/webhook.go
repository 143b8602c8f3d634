package outlet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aistrale/aistrale/internal/guard"
)

// webhookTimeout bounds one delivery.
const webhookTimeout = 10 * time.Second

// Webhook posts each text to an address.
type Webhook struct {
	address string
	kind    string // of content
	shown   string // without what may be a secret
	client  *http.Client
}

// NewWebhook makes one for texts of a kind of content. The address is the operator's own.
func NewWebhook(address, kind string) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("it is no http or https URL")
	}
	return &Webhook{address: address, kind: kind, shown: u.Scheme + "://" + u.Host, client: &http.Client{
		Timeout:       webhookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Name implements admin.Outlet.
func (w *Webhook) Name() string { return w.shown }

// Put posts a text under its name; any status but one of success is an error.
func (w *Webhook) Put(ctx context.Context, name string, text []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("webhook %s: %w", w.shown, err)
	}
	r.Header.Set("content-type", w.kind)
	r.Header.Set("idempotency-key", name)
	answer, err := w.client.Do(r)
	if err != nil {
		return fmt.Errorf("webhook %s: %w", w.shown, guard.Cause(err))
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("webhook %s: it answers %s", w.shown, answer.Status)
	}
	return nil
}
