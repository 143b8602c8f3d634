package admin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// Poster sends to addresses that are not the operator's own word.
type Poster interface {
	// Check says what is wrong with an address as it is written.
	Check(u *url.URL) error
	// Post gives the status and how the body begins; 0 where there was no answer.
	Post(ctx context.Context, address string, header http.Header, body []byte) (status int, excerpt string, err error)
}

// Mailer sends mail. The same id is the same mail.
type Mailer interface {
	Mail(ctx context.Context, id string, to []string, subject, text string) error
}

// CourierOptions are what a Courier works with.
type CourierOptions struct {
	Notices *Notices
	Vault   Vault
	Poster  Poster
	Mailer  Mailer // nil: no mail is sent
	Log     *slog.Logger
}

// Courier sends what is in line. Each node has one; who takes a delivery out of the line puts it
// back for later in the same transaction, so that one who is killed meanwhile loses nothing: every
// event comes at least once.
type Courier struct {
	CourierOptions
	sending sync.WaitGroup
	behind  atomic.Int64 // how long the first in line has been due, in nanoseconds
	wake    chan struct{}
	mu      sync.Mutex
	busy    map[string]int // by webhook
	all     int
}

const (
	courierEvery = 500 * time.Millisecond
	// leaseLasts is how long a node has for an attempt, which ends before by its own timeout.
	leaseLasts  = time.Minute
	sendTimeout = 20 * time.Second
	mostSending = 16
	mostPerHook = 4 // so that one that hangs leaves room for the others
	lineLook    = 64
)

// NewCourier makes one; Run runs it.
func NewCourier(o CourierOptions) *Courier {
	return &Courier{CourierOptions: o, wake: make(chan struct{}, 1), busy: map[string]int{}}
}

// Run sends until ctx ends. What is under way then is given up, and sent again later by whoever
// runs.
func (c *Courier) Run(ctx context.Context) {
	defer c.sending.Wait()
	tick := time.NewTicker(courierEvery)
	defer tick.Stop()
	trouble := ""
	for {
		err := c.turn(ctx)
		if err != nil && ctx.Err() == nil && err.Error() != trouble {
			c.Log.Warn("webhooks cannot be sent at the moment", "error", err.Error())
		}
		if trouble = ""; err != nil {
			trouble = err.Error()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-c.wake:
		}
	}
}

// turn begins to send what is due, as far as there is room.
func (c *Courier) turn(ctx context.Context) error {
	line, err := c.Notices.line.list(ctx, storage.DocumentQuery{Limit: lineLook})
	if err != nil {
		return err
	}
	c.look(line)
	for _, next := range line {
		at, err := dueAt(next.ID)
		if err != nil || at > c.Notices.Now().UnixMicro() {
			return err
		}
		if !c.room(next.Noun.Webhook) {
			continue
		}
		lease, err := c.claim(ctx, next)
		if err != nil {
			c.leave(next.Noun.Webhook)
			if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrChanged) {
				continue // another node's
			}
			return err
		}
		c.sending.Go(func() {
			defer c.leave(next.Noun.Webhook)
			if err := c.deliver(ctx, lease); err != nil && ctx.Err() == nil {
				c.Log.Warn("a delivery of a webhook cannot be noted; it is sent again", "webhook", next.Noun.Webhook, "error", err.Error())
			}
		})
	}
	return nil
}

// dueAt is when what has this id is due, in Unix microseconds.
func dueAt(id string) (int64, error) {
	at, _, _ := strings.Cut(id, ".")
	return strconv.ParseInt(at, 16, 64)
}

// look notes how long the first in line has been due.
func (c *Courier) look(line []kept[due]) {
	var behind time.Duration
	if len(line) > 0 {
		if at, err := dueAt(line[0].ID); err == nil {
			behind = max(0, c.Notices.Now().Sub(time.UnixMicro(at)))
		}
	}
	c.behind.Store(int64(behind))
}

// Behind is how long the first delivery in line had been due at the last look, 0 where none is.
func (c *Courier) Behind() time.Duration { return time.Duration(c.behind.Load()) }

func (c *Courier) room(hook string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == mostSending || c.busy[hook] == mostPerHook {
		return false
	}
	c.all++
	c.busy[hook]++
	return true
}

func (c *Courier) leave(hook string) {
	c.mu.Lock()
	c.all--
	if c.busy[hook]--; c.busy[hook] == 0 {
		delete(c.busy, hook)
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// claim takes a delivery out of the line and puts it back for when this node has failed to.
func (c *Courier) claim(ctx context.Context, next kept[due]) (lease kept[due], err error) {
	err = c.Notices.Store.Together(ctx, func(ctx context.Context) error {
		if err := c.Notices.line.remove(ctx, next); err != nil {
			return err
		}
		lease, err = c.Notices.awaiting(ctx, next.Noun, c.Notices.Now().Add(leaseLasts))
		return err
	})
	return lease, err
}

// deliver makes one attempt and notes how it ended.
func (c *Courier) deliver(ctx context.Context, lease kept[due]) error {
	n := c.Notices
	k, err := n.deliveries.get(ctx, lease.Noun.Workspace, lease.Noun.Delivery)
	if errors.Is(err, storage.ErrNotFound) { // its time is over
		return n.line.remove(ctx, lease)
	}
	if err != nil {
		return err
	}
	hook, err := n.webhooks.get(ctx, lease.Noun.Workspace, lease.Noun.Webhook)
	gone := errors.Is(err, storage.ErrNotFound)
	if err != nil && !gone {
		return err
	}
	tried := Attempt{At: n.Now(), Error: "the webhook is removed or disabled"}
	if gone = gone || hook.Noun.DisabledAt != nil; !gone {
		tried = c.attempt(ctx, &hook, &k)
	}
	if ctx.Err() != nil { // the lease stands: whoever runs next sends it
		return ctx.Err()
	}
	return n.Store.Together(ctx, func(ctx context.Context) error {
		if err := n.line.remove(ctx, lease); err != nil {
			return err
		}
		again := k.Noun.tried(tried, gone)
		if err := n.deliveries.change(ctx, &k, n.Now()); err != nil {
			return err
		}
		if again != nil {
			if err := n.await(ctx, lease.Noun, *again); err != nil {
				return err
			}
		}
		if tried.Status != http.StatusGone {
			return nil
		}
		return c.disable(ctx, lease.Noun)
	})
}

// waits are how long a delivery waits after each attempt that failed: ten attempts in a day. Each
// is made up to a fifth longer, so that what failed together does not come together again.
func waits() []time.Duration {
	return []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
}

// tried notes an attempt, and gives when the next one is due; nil where there is none.
func (d *delivery) tried(a Attempt, gone bool) (again *time.Time) {
	d.Attempts = append(d.Attempts, a)
	d.Attempts = d.Attempts[max(0, len(d.Attempts)-mostAttempts):]
	d.Tries++
	d.NextAt = nil
	all := waits()
	switch {
	case a.Error == "":
		d.State = DeliveryDelivered
	case gone, a.Status == http.StatusGone, d.Tries > len(all):
		d.State = DeliveryFailed
	default:
		wait := all[d.Tries-1]
		at := a.At.Add(wait + rand.N(wait/5)) //nolint:gosec // no secret
		d.NextAt = &at
	}
	return d.NextAt
}

// disable ends a webhook whose receiver has said that it is gone.
func (c *Courier) disable(ctx context.Context, d due) error {
	hook, err := c.Notices.webhooks.get(ctx, d.Workspace, d.Webhook)
	if err != nil || hook.Noun.DisabledAt != nil {
		return err
	}
	now := c.Notices.Now()
	hook.Noun.DisabledAt, hook.Noun.Reason = &now, "its receiver answered 410"
	return errors.Join(c.Notices.webhooks.change(ctx, &hook, now), c.Notices.Store.Audit(ctx, storage.AuditEvent{
		ID: uuid.Must(uuid.NewV7()).String(), At: now, Actor: "gateway", Action: string(policy.WebhooksWrite), Target: "webhook/" + d.Webhook,
		Workspace: d.Workspace, Outcome: storage.AuditDone, Reason: "disabled: " + hook.Noun.Reason,
	}))
}

func (c *Courier) attempt(ctx context.Context, hook *kept[webhook], d *kept[delivery]) Attempt {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	a := Attempt{At: c.Notices.Now()}
	began := time.Now()
	var err error
	a.Status, a.Excerpt, err = c.send(ctx, hook, &d.Noun)
	a.Millis = time.Since(began).Milliseconds()
	switch {
	case err != nil:
		a.Error = err.Error()
	case hook.Noun.Kind != webhookEmail && a.Status/100 != 2:
		a.Error = fmt.Sprintf("it answered %d", a.Status)
	}
	return a
}

func (c *Courier) send(ctx context.Context, hook *kept[webhook], d *delivery) (status int, excerpt string, err error) {
	if hook.Noun.Kind == webhookEmail {
		if c.Mailer == nil {
			return 0, "", errors.New("this gateway has no smtp: in its configuration")
		}
		return 0, "", c.Mailer.Mail(ctx, d.Event, hook.Noun.To, "AISTRALE: "+string(d.Type), d.Text+"\n\n"+string(d.Payload)+"\n")
	}
	secrets, err := c.Notices.open(ctx, c.Vault, hook)
	if err != nil {
		return 0, "", err
	}
	body, header := d.Payload, http.Header{"Content-Type": {"application/json"}, "User-Agent": {"aistrale"}}
	if hook.Noun.Kind == webhookSlack {
		body, err = json.Marshal(slackMessage(d))
	} else {
		sign(header, d.Event, c.Notices.Now(), body, secrets.signing(hook.Noun.OldUntil, c.Notices.Now()))
	}
	if err != nil {
		return 0, "", err
	}
	return c.Poster.Post(ctx, secrets.URL, header, body)
}

// signing gives the secrets that sign at a time, the newest first.
func (s *webhookSecrets) signing(oldUntil *time.Time, now time.Time) []string {
	all := []string{s.Secret}
	if s.Old != "" && oldUntil != nil && now.Before(*oldUntil) {
		all = append(all, s.Old)
	}
	return all
}

// sign signs a body by https://www.standardwebhooks.com: HMAC-SHA256 of id.timestamp.body, once by
// each secret.
func sign(h http.Header, id string, at time.Time, body []byte, secrets []string) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, secret := range secrets {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")) // of our own making
		sum := hmac.New(sha256.New, key)
		sum.Write(slices.Concat([]byte(id+"."+stamp+"."), body))
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(sum.Sum(nil)))
	}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", stamp)
	h.Set("webhook-signature", strings.Join(signatures, " "))
}

// slackText is Slack's: text for notifications, and blocks for what is shown.
type slackText struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type string `json:"type"`
	Text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"text"`
}

// maxSlack is how long a section's text may be, in characters.
// Source: https://docs.slack.dev/reference/block-kit/blocks/section-block
const maxSlack = 3000

func slackMessage(d *delivery) slackText {
	// Names are people's own: none of them may make a link or call somebody.
	text := []rune(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(d.Text))
	said := string(text[:min(len(text), maxSlack)])
	b := slackBlock{Type: "section"}
	b.Text.Type, b.Text.Text = "mrkdwn", said
	return slackText{Text: said, Blocks: []slackBlock{b}}
}
