package storage

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// PayloadSettings say what is kept of what a key's calls ask and are answered, and what traces have
// of it. The zero value keeps nothing.
type PayloadSettings struct {
	Keep     time.Duration // for how long; 0 nothing is kept
	Spans    bool          // traces have it too, where the operator lets them
	Request  bool
	Response bool
	MaxBytes int64    // of each of the two, once it is redacted; 0 is DefaultPayload
	Redact   []string // names of rules; nil is all built-in ones
}

// Bounds of what is kept of a request, or of its answer, in bytes.
const (
	DefaultPayload = 64 << 10
	MaxPayload     = 4 << 20
)

// Most is how many bytes of a request or an answer are kept.
func (s *PayloadSettings) Most() int {
	if s.MaxBytes == 0 {
		return DefaultPayload
	}
	return int(s.MaxBytes)
}

// Wanted reports whether anybody is to have anything.
func (s *PayloadSettings) Wanted() bool { return s.Keep > 0 || s.Spans }

// Check says what is wrong with the settings themselves.
func (s *PayloadSettings) Check() error {
	switch {
	case s.Keep < 0:
		return errors.New("payloads: keep is below zero")
	case !s.Wanted() && (s.Request || s.Response):
		return errors.New("payloads: keep is missing: for how long")
	case s.Wanted() && !s.Request && !s.Response:
		return errors.New("payloads: nothing would be kept: set request, response, or both")
	case s.MaxBytes < 0 || s.MaxBytes > MaxPayload:
		return fmt.Errorf("payloads: max_bytes is not between 1 and %d", MaxPayload)
	}
	return nil
}

// Payload is what a request asked and was answered, as it is kept: redacted, and mostly compressed.
// Stores have it sealed.
type Payload struct {
	ID        string // the request's
	Workspace string
	Key       string // the key's public id
	User      string // the key's owner
	EndUser   string // as the client said it
	CreatedAt time.Time
	ExpiresAt time.Time
	Content   []byte
}

// SealedPayload is a payload as stores have it: Content stands sealed.
type SealedPayload struct {
	Payload
	Sealed
}

// payloadTable names the table in bindings. It is part of every seal: never change it.
const payloadTable = "payloads"

// Binding holds the content to its row and to whose it is. None of the names has a NUL in it.
func (p *Payload) Binding() Binding {
	return Binding{Table: payloadTable, Row: strings.Join([]string{p.Workspace, p.ID, p.User, p.EndUser}, "\x00")}
}

// Seal gives the payload as a store may have it.
func (p Payload) Seal(v *Vault) (SealedPayload, error) {
	p.EndUser = strings.ToValidUTF8(strings.ReplaceAll(p.EndUser, "\x00", ""), "?")
	p.CreatedAt, p.ExpiresAt = stamp(p.CreatedAt), stamp(p.ExpiresAt)
	sealed, err := v.Seal(NewSecret(string(p.Content)), p.Binding())
	if err != nil {
		return SealedPayload{}, fmt.Errorf("payload %q: %w", p.ID, err)
	}
	p.Content = nil
	return SealedPayload{Payload: p, Sealed: sealed}, nil
}

// Check says what is wrong with the row's own data. Stores refuse one that fails it.
func (p *SealedPayload) Check() error {
	for _, text := range [...]string{p.ID, p.Workspace, p.Key, p.User, p.EndUser} {
		if len(text) > maxText || strings.IndexByte(text, 0) >= 0 {
			return errors.New("payload: a name is too long or has a NUL in it")
		}
	}
	if p.ID == "" || p.Workspace == "" || p.DataKeyID == "" || len(p.Blob) == 0 || p.ExpiresAt.IsZero() {
		return fmt.Errorf("payload %q: it has no workspace or no end, or is not sealed", p.ID)
	}
	return nil
}
