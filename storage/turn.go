package storage

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Turn is what was said in a conversation with a model whose provider keeps nothing, as the
// gateway keeps it for a workspace: a response with its input, a conversation, or one item of a
// conversation. Stores have it sealed.
type Turn struct {
	ID        string
	Workspace string
	Previous  string // the response that it continues, "" none
	Within    string // the conversation that it is an item of, "" none
	Place     int    // among the items that were added at one time
	CreatedAt time.Time
	ExpiresAt *time.Time // nil: with what it is within
	Content   []byte     // in the words of the language that it was said in
}

// SealedTurn is a turn as stores have it: Content stands sealed.
type SealedTurn struct {
	Turn
	Sealed
}

// MaxTurns bounds how many turns of a response's past, or items of a conversation, are put
// together for one call.
const MaxTurns = 4096

// ErrTooMuch is wrapped where turns that belong together are more than was asked for.
var ErrTooMuch = errors.New("they are larger than the limit")

// turnTable names the table in bindings. It is part of every seal: never change it.
const turnTable = "turns"

// Seal gives the turn as a store may have it.
func (t Turn) Seal(v *Vault) (SealedTurn, error) {
	sealed, err := v.Seal(NewSecret(string(t.Content)), t.binding())
	if err != nil {
		return SealedTurn{}, fmt.Errorf("turn %q: %w", t.ID, err)
	}
	t.Content = nil
	return SealedTurn{Turn: t.Stamp(), Sealed: sealed}, nil
}

// Open gives the turn with its content. It wraps ErrSealBroken where the row is another one, of
// another workspace, or stands at another place than the one that was sealed.
func (s SealedTurn) Open(v *Vault) (Turn, error) {
	text, err := v.Open(s.Sealed, s.binding())
	if err != nil {
		return Turn{}, fmt.Errorf("turn %q: %w", s.ID, err)
	}
	s.Content = []byte(text.Reveal())
	return s.Turn, nil
}

// binding holds the content to its row, its tenant and what it belongs to. None of the names has
// a NUL in it.
func (t *Turn) binding() Binding {
	return Binding{Table: turnTable, Row: strings.Join([]string{t.Workspace, t.ID, t.Previous, t.Within}, "\x00")}
}

// Stamp gives the turn with its times as stores keep them.
func (t Turn) Stamp() Turn {
	t.CreatedAt = stamp(t.CreatedAt)
	if t.ExpiresAt != nil {
		at := stamp(*t.ExpiresAt)
		t.ExpiresAt = &at
	}
	return t
}

// Check says what is wrong with the turn's own data. Stores refuse one that fails it.
func (s *SealedTurn) Check() error {
	for _, id := range [...]string{s.ID, s.Previous, s.Within} {
		if len(id) > MaxObjectID || strings.IndexByte(id, 0) >= 0 {
			return fmt.Errorf("turn: an id has %d bytes or a NUL in it", len(id))
		}
	}
	switch {
	case s.ID == "":
		return errors.New("turn: it has no id")
	case s.Workspace == "":
		return fmt.Errorf("turn %q: it has no workspace", s.ID)
	case s.DataKeyID == "" || len(s.Blob) == 0:
		return fmt.Errorf("turn %q: it is not sealed", s.ID)
	case (s.ExpiresAt == nil) != (s.Within != ""):
		return fmt.Errorf("turn %q: it ends by a time or with a conversation, one of the two", s.ID)
	}
	return nil
}

// TurnQuery asks for the items of a conversation in the order they were added.
type TurnQuery struct {
	Workspace, Within string
	Newest            bool  // the newest first, else the oldest
	After             *Turn // those behind this one in that order; nil from the beginning
	Limit             int
	Most              int // bytes of all together, 0 any; more wraps ErrTooMuch
}

// Scale sums up what turns weigh.
type Scale struct {
	Most int // bytes, 0 any
	sum  int
}

// Add puts a turn on the scale. It gives ErrTooMuch where that is too much.
func (s *Scale) Add(t *SealedTurn) error {
	if s.sum += len(t.Blob); s.Most > 0 && s.sum > s.Most {
		return ErrTooMuch
	}
	return nil
}
