package admin

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Webhook is somebody who is told of events, as the API shows one.
type Webhook struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Kind      string      `json:"kind" enum:"standard,slack,email"`
	Target    string      `json:"target" doc:"Where it goes, without what may be a secret"`
	Events    []EventType `json:"events" doc:"None: all"`
	State     string      `json:"state" enum:"active,disabled"`
	Reason    string      `json:"reason,omitempty" doc:"Why it was disabled, where nobody did it"`
	Secret    string      `json:"secret,omitempty" doc:"What signs, when it is made or rotated and never again"`
	OldUntil  *time.Time  `json:"old_until,omitempty" doc:"Until when the secret before the last rotation signs too"`
	CreatedAt time.Time   `json:"created_at"`
}

// The kinds of webhooks.
const (
	webhookStandard = "standard"
	webhookSlack    = "slack"
	webhookEmail    = "email"
)

// webhook is what the store keeps of one.
type webhook struct {
	Name, Kind, Target string
	To                 []string // of webhookEmail
	Events             []EventType
	DisabledAt         *time.Time
	Reason             string
	OldUntil           *time.Time
}

// webhookSecrets are what is sealed of a webhook, of webhookEmail nothing. Its address may be one, as Slack's is.
type webhookSecrets struct{ URL, Secret, Old string }

func webhookKind() storage.Kind { return storage.Kind{Name: "webhook"} }

func (w *webhook) wants(e EventType) bool {
	return w.DisabledAt == nil && (len(w.Events) == 0 || slices.Contains(w.Events, e))
}

// newWebhookSecret is 32 random bytes in the form of Standard Webhooks.
func newWebhookSecret() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the process instead
	return "whsec_" + base64.StdEncoding.EncodeToString(raw)
}

func showWebhook(k kept[webhook]) Webhook {
	w := &k.Noun
	state := "active"
	if w.DisabledAt != nil {
		state = "disabled"
	}
	events := w.Events
	if events == nil {
		events = []EventType{}
	}
	return Webhook{
		ID: k.ID, Name: w.Name, Kind: w.Kind, Target: w.Target, Events: events, State: state, Reason: w.Reason,
		OldUntil: w.OldUntil, CreatedAt: k.CreatedAt,
	}
}

func oneWebhook(k kept[webhook]) *one[Webhook] {
	return &one[Webhook]{ETag: etag(k.Revision), Body: showWebhook(k)}
}

// WebhookID names a webhook of a workspace; those of "*" hear of every workspace.
type WebhookID struct {
	InWorkspace
	ID string `path:"id" maxLength:"16"`
}

func (a *api) webhook(ctx context.Context, in *WebhookID) (kept[webhook], error) {
	return a.Notices.webhooks.get(ctx, in.Workspace, in.ID)
}

type webhookList struct {
	InWorkspace
	Page
}

func (a *api) listWebhooks(ctx context.Context, in *webhookList) (*listed[Webhook], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found, err := a.Notices.webhooks.list(ctx, storage.DocumentQuery{Workspace: in.Workspace, After: after, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	return listOf(in.Page, found, func(k kept[webhook]) string { return k.ID }, showWebhook), nil
}

func (a *api) getWebhook(ctx context.Context, in *WebhookID) (*one[Webhook], error) {
	k, err := a.webhook(ctx, in)
	if err != nil {
		return nil, err
	}
	return oneWebhook(k), nil
}

// WebhookFields are what may be said of a webhook.
type WebhookFields struct {
	Name   *string      `json:"name,omitempty" minLength:"1" maxLength:"128"`
	URL    *string      `json:"url,omitempty" maxLength:"2048" doc:"Of a standard or slack one; shown by its host only"`
	To     []string     `json:"to,omitempty" maxItems:"20" doc:"Of an email one: addresses"`
	Events *[]EventType `json:"events,omitempty" maxItems:"32" enum:"budget.threshold,key.created,key.rotated,key.revoked,key.expiring,breaker.opened,breaker.closed,credential.failing,audit.checkpoint" doc:"None: all"`
}

// put sets what was said; the address goes to the secrets.
func (a *api) putWebhook(f *WebhookFields, w *webhook, secrets *webhookSecrets) error {
	if f.Name != nil {
		w.Name = *f.Name
	}
	if f.Events != nil {
		w.Events = *f.Events
	}
	mails := w.Kind == webhookEmail
	switch {
	case mails && f.URL != nil:
		return huma.Error422UnprocessableEntity("url: an email webhook has addresses in to")
	case !mails && f.To != nil:
		return huma.Error422UnprocessableEntity("to: only an email webhook has addresses")
	case mails && f.To != nil:
		return a.putReceivers(w, f.To)
	case !mails && f.URL != nil:
		u, err := url.Parse(*f.URL)
		if err == nil {
			err = a.Poster.Check(u)
		}
		if err != nil {
			return huma.Error422UnprocessableEntity("url: " + withoutAddress(err))
		}
		secrets.URL, w.Target = u.String(), u.Scheme+"://"+u.Host
	}
	return nil
}

// withoutAddress keeps the URL, which may be a secret, out of what is said of it.
func withoutAddress(err error) string {
	if _, ok := err.(*url.Error); ok { //nolint:errorlint // it is what url.Parse gives
		return "it is no URL"
	}
	return err.Error()
}

func (a *api) putReceivers(w *webhook, to []string) error {
	if a.Mailer == nil {
		return huma.Error422UnprocessableEntity("kind: this gateway has no smtp: in its configuration")
	}
	if len(to) == 0 {
		return huma.Error422UnprocessableEntity("to: at least one address is needed")
	}
	w.To = nil
	for _, text := range to {
		address, err := mail.ParseAddress(text)
		if err != nil || address.Name != "" || address.Address != text {
			return huma.Error422UnprocessableEntity("to: each is a bare address such as ops@example.com")
		}
		w.To = append(w.To, address.Address)
	}
	w.Target = strings.Join(w.To, ", ")
	return nil
}

type newWebhook struct {
	InWorkspace
	Body struct {
		Kind string `json:"kind,omitempty" enum:"standard,slack,email" default:"standard"`
		WebhookFields
	}
}

func (a *api) createWebhook(ctx context.Context, in *newWebhook) (*one[Webhook], error) {
	k := kept[webhook]{Noun: webhook{Kind: in.Body.Kind}}
	if in.Body.Name == nil || in.Body.URL == nil && in.Body.To == nil {
		return nil, huma.Error422UnprocessableEntity("name, and url or to, are needed")
	}
	if in.Workspace != storage.Everywhere {
		if _, err := a.workspaces().get(ctx, "", in.Workspace); err != nil {
			return nil, err
		}
	}
	var secrets webhookSecrets
	if err := a.putWebhook(&in.Body.WebhookFields, &k.Noun, &secrets); err != nil {
		return nil, err
	}
	if k.Noun.Kind == webhookStandard {
		secrets.Secret = newWebhookSecret()
	}
	k.Kind, k.Workspace, k.ID = webhookKind(), in.Workspace, "wh"+strings.ToLower(rand.Text()[:12])
	if err := a.Notices.seal(ctx, a.Vault, &k, secrets); err != nil {
		return nil, err
	}
	c := change{action: policy.WebhooksWrite, target: "webhook/" + k.ID, workspace: in.Workspace}
	err := a.apply(ctx, &c, func(ctx context.Context) error {
		if err := a.Notices.webhooks.add(ctx, &k, a.Now()); err != nil {
			return err
		}
		c.after = showWebhook(k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := oneWebhook(k)
	out.Body.Secret = secrets.Secret
	return out, nil
}

func (n *Notices) seal(ctx context.Context, v Vault, k *kept[webhook], s webhookSecrets) error {
	if k.Noun.Kind == webhookEmail {
		return nil
	}
	text, err := json.Marshal(s) //nolint:gosec // to be sealed
	if err != nil {
		return err
	}
	k.Sealed, err = v.Seal(ctx, storage.NewSecret(string(text)), k.Binding())
	return err
}

func (n *Notices) open(ctx context.Context, v Vault, k *kept[webhook]) (s webhookSecrets, err error) {
	if k.Noun.Kind == webhookEmail {
		return s, nil
	}
	text, err := v.Open(ctx, k.Sealed, k.Binding())
	if err != nil {
		return s, fmt.Errorf("webhook %s: %w", k.ID, err)
	}
	return s, json.Unmarshal([]byte(text.Reveal()), &s)
}

type webhookChange struct {
	WebhookID
	Match
	Body struct {
		WebhookFields
		Disabled *bool `json:"disabled,omitempty" doc:"One that is disabled hears of nothing"`
	}
}

func (a *api) changeWebhook(ctx context.Context, in *webhookChange) (*one[Webhook], error) {
	return a.editWebhook(ctx, &in.WebhookID, in.Match, func(k *kept[webhook], s *webhookSecrets) error {
		if in.Body.Disabled != nil {
			k.Noun.DisabledAt, k.Noun.Reason = nil, ""
			if *in.Body.Disabled {
				now := a.Now()
				k.Noun.DisabledAt = &now
			}
		}
		return a.putWebhook(&in.Body.WebhookFields, &k.Noun, s)
	})
}

type webhookRotation struct {
	WebhookID
	Match
	Body struct {
		Overlap int `json:"overlap_seconds,omitempty" minimum:"0" maximum:"7776000" default:"86400" doc:"How long the secret of before signs too"`
	}
}

func (a *api) rotateWebhook(ctx context.Context, in *webhookRotation) (*one[Webhook], error) {
	secret := newWebhookSecret()
	out, err := a.editWebhook(ctx, &in.WebhookID, in.Match, func(k *kept[webhook], s *webhookSecrets) error {
		if k.Noun.Kind != webhookStandard {
			return huma.Error409Conflict("only a standard webhook has a secret")
		}
		until := a.Now().Add(time.Duration(in.Body.Overlap) * time.Second)
		s.Secret, s.Old, k.Noun.OldUntil = secret, s.Secret, &until
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Body.Secret = secret
	return out, nil
}

// editWebhook makes a change of one that the caller has read.
func (a *api) editWebhook(ctx context.Context, in *WebhookID, m Match, edit func(*kept[webhook], *webhookSecrets) error) (*one[Webhook], error) {
	k, err := a.webhook(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := m.holds(k.Revision); err != nil {
		return nil, err
	}
	c := change{action: policy.WebhooksWrite, target: "webhook/" + k.ID, workspace: in.Workspace, before: showWebhook(k)}
	secrets, err := a.Notices.open(ctx, a.Vault, &k)
	if err != nil {
		return nil, err
	}
	if err := edit(&k, &secrets); err != nil {
		return nil, err
	}
	if err := a.Notices.seal(ctx, a.Vault, &k, secrets); err != nil {
		return nil, err
	}
	err = a.apply(ctx, &c, func(ctx context.Context) error {
		if err := a.Notices.webhooks.change(ctx, &k, a.Now()); err != nil {
			return err
		}
		c.after = showWebhook(k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return oneWebhook(k), nil
}

type webhookRemoval struct {
	WebhookID
	Match
}

// removeWebhook takes one away; its deliveries go when their time has come.
func (a *api) removeWebhook(ctx context.Context, in *webhookRemoval) (*nothing, error) {
	k, err := a.webhook(ctx, &in.WebhookID)
	if err != nil {
		return nil, err
	}
	if err := in.holds(k.Revision); err != nil {
		return nil, err
	}
	c := change{action: policy.WebhooksWrite, target: "webhook/" + k.ID, workspace: in.Workspace, before: showWebhook(k)}
	return nil, a.apply(ctx, &c, func(ctx context.Context) error { return a.Notices.webhooks.remove(ctx, k) })
}

// testWebhook puts an event in line that says nothing, so that somebody sees it come.
func (a *api) testWebhook(ctx context.Context, in *WebhookID) (*one[Delivery], error) {
	k, err := a.webhook(ctx, in)
	if err != nil {
		return nil, err
	}
	if k.Noun.DisabledAt != nil {
		return nil, huma.Error409Conflict("the webhook is disabled")
	}
	e := Event{Type: EventTest, Data: map[string]string{"webhook": k.ID}, Text: "This is a test of webhook " + k.Noun.Name + "."}
	m, err := e.message(a.Now())
	if err != nil {
		return nil, err
	}
	var made kept[delivery]
	c := change{action: policy.WebhooksWrite, target: "webhook/" + k.ID + "/test", workspace: in.Workspace}
	err = a.apply(ctx, &c, func(ctx context.Context) (err error) {
		made, err = a.Notices.enqueue(ctx, k, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &one[Delivery]{Body: showDelivery(made)}, nil
}
