package storage

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestTurn_SealOpen(t *testing.T) {
	v, old := vault(t, master(t))
	until := someDay.Add(time.Hour + time.Nanosecond)
	turn := Turn{ID: "resp_2", Workspace: "a", Previous: "resp_1", CreatedAt: someDay, ExpiresAt: &until, Content: []byte(`{"text":"` + canary + `"}`)}
	sealed, err := turn.Seal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := sealed.Check(); err != nil || sealed.Content != nil || bytes.Contains(sealed.Blob, []byte(canary)) || sealed.ExpiresAt.Nanosecond() != 0 {
		t.Fatalf("%v: %+v", err, sealed)
	}
	fresh, err := v.NewDataKey(t.Context(), someDay.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Load(t.Context(), []DataKey{old, fresh}); err != nil {
		t.Fatal(err)
	}
	if got, err := sealed.Open(v); err != nil || !bytes.Equal(got.Content, turn.Content) || got.Previous != "resp_1" {
		t.Fatalf("under a data key that seals no more: %+v, %v", got, err)
	}
	if again, err := turn.Seal(v); err != nil || again.DataKeyID != fresh.ID {
		t.Fatalf("sealed under %s: %v", again.DataKeyID, err)
	}
	for name, change := range map[string]func(*SealedTurn){
		"another row":          func(s *SealedTurn) { s.ID = "resp_3" },
		"another workspace":    func(s *SealedTurn) { s.Workspace = "b" },
		"another past":         func(s *SealedTurn) { s.Previous = "resp_0" },
		"another conversation": func(s *SealedTurn) { s.Previous, s.Within = "", "resp_1" },
		"changed":              func(s *SealedTurn) { s.Blob = append(bytes.Clone(s.Blob), 0) },
	} {
		moved := sealed
		change(&moved)
		if _, err := moved.Open(v); !errors.Is(err, ErrSealBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
