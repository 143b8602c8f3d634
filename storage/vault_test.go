package storage

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

const canary = "sk-canary-0123456789-abcdefghij"

var someDay = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func master(t *testing.T) *MasterKey {
	t.Helper()
	m, err := ParseMasterKey(NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// vault makes a vault with one data key.
func vault(t *testing.T, wrapper KeyWrapper) (*Vault, DataKey) {
	t.Helper()
	v := NewVault(wrapper)
	k, err := v.NewDataKey(t.Context(), someDay)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Load(t.Context(), []DataKey{k}); err != nil {
		t.Fatal(err)
	}
	return v, k
}

func TestSealOpen(t *testing.T) {
	v, k := vault(t, master(t))
	b := Binding{"credentials", "row", "https://api.example.com:443"}
	for _, text := range []string{canary, "", "x", strings.Repeat("long", 4096), "\x00\xff"} {
		s, err := v.Seal(NewSecret(text), b)
		if err != nil {
			t.Fatal(err)
		}
		if s.DataKeyID != k.ID || text != "" && len(text) > 1 && bytes.Contains(s.Blob, []byte(text)) {
			t.Fatalf("sealed as %+v", s)
		}
		got, err := v.Open(s, b)
		if err != nil || got.Reveal() != text {
			t.Fatalf("opened %d bytes of %d, error %v", len(got.Reveal()), len(text), err)
		}
	}
	one, _ := v.Seal(NewSecret(canary), b)
	two, _ := v.Seal(NewSecret(canary), b)
	if bytes.Equal(one.Blob, two.Blob) {
		t.Fatal("sealing twice gives the same bytes: equal secrets show")
	}
}

func TestOpenTampered(t *testing.T) {
	v, _ := vault(t, master(t))
	b := Binding{"credentials", "row", "https://api.example.com:443"}
	s, err := v.Seal(NewSecret(canary), b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Blob {
		for bit := range 8 {
			changed := Sealed{s.DataKeyID, bytes.Clone(s.Blob)}
			changed.Blob[i] ^= 1 << bit
			if _, err := v.Open(changed, b); !errors.Is(err, ErrSealBroken) {
				t.Fatalf("byte %d bit %d changed: error %v", i, bit, err)
			}
		}
	}
	for n := range s.Blob {
		if _, err := v.Open(Sealed{s.DataKeyID, s.Blob[:n]}, b); !errors.Is(err, ErrSealBroken) {
			t.Fatalf("cut to %d bytes: error %v", n, err)
		}
	}
}

func TestOpenElsewhere(t *testing.T) {
	v, _ := vault(t, master(t))
	b := Binding{"credentials", "row", "https://api.example.com:443"}
	s, err := v.Seal(NewSecret(canary), b)
	if err != nil {
		t.Fatal(err)
	}
	f := func(other Binding) {
		t.Helper()
		if _, err := v.Open(s, other); !errors.Is(err, ErrSealBroken) {
			t.Errorf("opens for %+v: error %v", other, err)
		}
	}
	f(Binding{"settings", b.Row, b.Target})
	f(Binding{b.Table, "row2", b.Target})
	f(Binding{b.Table, b.Row, "https://evil.example.com:443"})
	f(Binding{b.Table, b.Row, "http://api.example.com:443"})
	f(Binding{b.Table, b.Row, "https://api.example.com:444"})
	f(Binding{b.Table, b.Row, ""})
	f(Binding{b.Table + b.Row, "", b.Target}) // parts that join to the same text
	f(Binding{})
}

// A row that names another data key of the same vault must not open under it.
func TestOpenUnderAnotherDataKey(t *testing.T) {
	v, first := vault(t, master(t))
	second, err := v.NewDataKey(t.Context(), someDay.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	b := Binding{"credentials", "row", ""}
	old, err := v.Seal(NewSecret(canary), b)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Load(t.Context(), []DataKey{second, first}); err != nil {
		t.Fatal(err)
	}
	young, err := v.Seal(NewSecret(canary), b)
	if err != nil {
		t.Fatal(err)
	}
	if old.DataKeyID != first.ID || young.DataKeyID != second.ID {
		t.Fatal("the newest data key does not seal")
	}
	if got, err := v.Open(old, b); err != nil || got.Reveal() != canary {
		t.Fatalf("a value under the older data key: error %v", err)
	}
	if _, err := v.Open(Sealed{second.ID, old.Blob}, b); !errors.Is(err, ErrSealBroken) {
		t.Fatalf("opens under another data key: error %v", err)
	}
	if _, err := v.Open(Sealed{"dk-gone", old.Blob}, b); !errors.Is(err, ErrNotFound) {
		t.Fatalf("error %v, want %v", err, ErrNotFound)
	}
}

func TestWrongMasterKey(t *testing.T) {
	right, wrong := master(t), master(t)
	v, k := vault(t, right)
	b := Binding{"credentials", "row", ""}
	s, err := v.Seal(NewSecret(canary), b)
	if err != nil {
		t.Fatal(err)
	}
	closed := NewVault(wrong)
	err = closed.Load(t.Context(), []DataKey{k})
	if !errors.Is(err, ErrWrongMasterKey) || !strings.Contains(err.Error(), k.ID) || !strings.Contains(err.Error(), "AISTRALE_MASTER_KEY") {
		t.Fatalf("error %v; want one that names the data key and the knob", err)
	}
	if _, err := closed.Open(s, b); !errors.Is(err, ErrWrongMasterKey) {
		t.Fatalf("error %v, want %v", err, ErrWrongMasterKey)
	}
	again := NewVault(right) // nothing is lost
	if err := again.Load(t.Context(), []DataKey{k}); err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(s, b); err != nil || got.Reveal() != canary {
		t.Fatalf("error %v", err)
	}
}

func TestNoMasterKey(t *testing.T) {
	v := NewVault(nil)
	_, k := vault(t, master(t))
	_, sealErr := v.Seal(NewSecret(canary), Binding{})
	_, openErr := v.Open(Sealed{DataKeyID: k.ID}, Binding{})
	_, newErr := v.NewDataKey(t.Context(), someDay)
	for _, err := range []error{sealErr, openErr, newErr, v.Load(t.Context(), []DataKey{k})} {
		if !errors.Is(err, ErrNoMasterKey) || !strings.Contains(err.Error(), "AISTRALE_MASTER_KEY_FILE") {
			t.Errorf("error %v, want %v", err, ErrNoMasterKey)
		}
	}
	if err := v.Load(t.Context(), nil); err != nil {
		t.Errorf("a store without data keys needs no master key: %v", err)
	}
}

// One row that does not unwrap must not close the rest.
func TestLoadKeepsTheRest(t *testing.T) {
	m := master(t)
	v, good := vault(t, m)
	b := Binding{"credentials", "row", ""}
	s, err := v.Seal(NewSecret(canary), b)
	if err != nil {
		t.Fatal(err)
	}
	_, foreign := vault(t, master(t))
	again := NewVault(m)
	if err := again.Load(t.Context(), []DataKey{foreign, good}); !errors.Is(err, ErrWrongMasterKey) {
		t.Fatalf("error %v, want %v", err, ErrWrongMasterKey)
	}
	if got, err := again.Open(s, b); err != nil || got.Reveal() != canary {
		t.Fatalf("error %v", err)
	}
}

func TestWrappedTampered(t *testing.T) {
	m := master(t)
	_, k := vault(t, m)
	for i := range k.Wrapped {
		changed := bytes.Clone(k.Wrapped)
		changed[i] ^= 1
		if _, err := m.Unwrap(t.Context(), k.ID, changed); err == nil {
			t.Fatalf("unwraps with byte %d changed", i)
		}
	}
	for n := range k.Wrapped {
		if _, err := m.Unwrap(t.Context(), k.ID, k.Wrapped[:n]); err == nil {
			t.Fatalf("unwraps cut to %d bytes", n)
		}
	}
	if _, err := m.Unwrap(t.Context(), "dk-other", k.Wrapped); !errors.Is(err, ErrSealBroken) {
		t.Fatalf("unwraps for another id: error %v", err)
	}
}

func TestVaultConcurrently(t *testing.T) {
	m := master(t)
	v, first := vault(t, m)
	second, err := v.NewDataKey(t.Context(), someDay.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := v.Load(context.Background(), []DataKey{first, second}); err != nil {
					t.Error(err)
				}
				s, err := v.Seal(NewSecret(canary), Binding{Row: "row"})
				if err != nil {
					t.Error(err)
				}
				if got, err := v.Open(s, Binding{Row: "row"}); err != nil || got.Reveal() != canary {
					t.Errorf("error %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// oneKey unwraps every data key to the same bytes, so that nothing but the binding tells them
// apart.
type oneKey struct{}

func (oneKey) Wrap(context.Context, string, []byte) ([]byte, error) { return []byte("x"), nil }

func (oneKey) Unwrap(context.Context, string, []byte) ([]byte, error) { return make([]byte, 32), nil }

func (oneKey) Rewrap(_ context.Context, _ string, wrapped []byte) ([]byte, error) {
	return wrapped, nil
}

func TestDataKeyIDIsBound(t *testing.T) {
	v := NewVault(oneKey{})
	if err := v.Load(t.Context(), []DataKey{{ID: "a"}, {ID: "b"}}); err != nil {
		t.Fatal(err)
	}
	s, err := v.Seal(NewSecret(canary), Binding{Row: "row"})
	if err != nil || s.DataKeyID != "b" {
		t.Fatalf("sealed under %q, error %v", s.DataKeyID, err)
	}
	if _, err := v.Open(s, Binding{Row: "row"}); err != nil {
		t.Fatal(err)
	}
	s.DataKeyID = "a"
	if _, err := v.Open(s, Binding{Row: "row"}); !errors.Is(err, ErrSealBroken) {
		t.Fatalf("error %v, want %v", err, ErrSealBroken)
	}
}

// A data key that the store has no more is let go of, and the newest of the others seals.
func TestVaultLetsGo(t *testing.T) {
	v := NewVault(oneKey{})
	old, young := DataKey{ID: "old", CreatedAt: time.Unix(1, 0)}, DataKey{ID: "young", CreatedAt: time.Unix(2, 0)}
	if err := v.Load(t.Context(), []DataKey{old, young}); err != nil {
		t.Fatal(err)
	}
	s, err := v.Seal(NewSecret(canary), Binding{Row: "row"})
	if err != nil || s.DataKeyID != "young" {
		t.Fatalf("sealed under %q, error %v", s.DataKeyID, err)
	}
	if err := v.Load(t.Context(), []DataKey{old}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Open(s, Binding{Row: "row"}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("error %v, want %v", err, ErrNotFound)
	}
	if s, err = v.Seal(NewSecret(canary), Binding{Row: "row"}); err != nil || s.DataKeyID != "old" {
		t.Fatalf("sealed under %q, error %v", s.DataKeyID, err)
	}
}
