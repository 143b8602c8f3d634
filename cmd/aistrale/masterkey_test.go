package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aistrale/aistrale/storage"
)

// opens reports whether two wrappers are of one master key.
func opens(t *testing.T, a, b storage.KeyWrapper) bool {
	t.Helper()
	wrapped, err := a.Wrap(t.Context(), "id", []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Unwrap(t.Context(), "id", wrapped)
	return err == nil && string(got) == "key"
}

func TestLoadMasterKey(t *testing.T) {
	text := storage.NewMasterKey().Reveal()
	want, err := storage.ParseMasterKey(storage.NewSecret(text))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	f := func(vars map[string]string, developer bool, mistake string) {
		t.Helper()
		got, err := loadMasterKey(func(name string) string { return vars[name] }, &Config{DataDir: dir, Developer: developer})
		switch {
		case mistake == "" && err != nil:
			t.Error(err)
		case mistake == "" && !opens(t, want, got):
			t.Error("it is another key")
		case mistake != "" && (err == nil || !strings.Contains(err.Error(), mistake) || got != nil):
			t.Errorf("wrapper %v, error %v; want an error with %q", got, err, mistake)
		case err != nil && strings.Contains(err.Error(), text):
			t.Errorf("error %q shows the key", err)
		}
	}
	for _, developer := range []bool{true, false} {
		f(map[string]string{masterKeyEnv: text}, developer, "")
		f(map[string]string{masterKeyFileEnv: file}, developer, "")
		f(map[string]string{masterKeyEnv: text, masterKeyFileEnv: file}, developer, "both")
		f(map[string]string{masterKeyEnv: text[1:]}, developer, masterKeyEnv)
		f(map[string]string{masterKeyFileEnv: file + ".none"}, developer, masterKeyFileEnv)
	}
	f(nil, false, masterKeyEnv)
	if _, err := os.Stat(dir); err == nil {
		t.Error("a data folder was made without need")
	}
}

func TestMasterKeyOfDeveloper(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	unset := func(string) string { return "" }
	first, err := loadMasterKey(unset, &Config{DataDir: dir, Developer: true})
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadMasterKey(unset, &Config{DataDir: dir, Developer: true})
	if err != nil || !opens(t, first, again) {
		t.Fatalf("the second start has another key, error %v", err)
	}
	path := filepath.Join(dir, masterKeyName)
	f := func(path string, want os.FileMode) {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v; error %v", path, info.Mode(), want, err)
		}
	}
	f(path, 0o600)
	f(dir, 0o700)
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	// Outside developer mode the file is not used, but the error says where it is.
	_, err = loadMasterKey(unset, &Config{DataDir: dir})
	if !errors.Is(err, storage.ErrNoMasterKey) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v; want one that names %s", err, path)
	}
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadMasterKey(unset, &Config{DataDir: dir, Developer: true}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v; want one that names %s", err, path)
	}
}

// Two first starts at once must end with one key, or the one that lost seals what nobody opens.
func TestMasterKeyRace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	got := make([]storage.KeyWrapper, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = loadMasterKey(func(string) string { return "" }, &Config{DataDir: dir, Developer: true}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, other := range got[1:] {
		if t.Failed() || !opens(t, got[0], other) {
			t.Fatal("two first starts have two keys")
		}
	}
}

// brokenKeys is a store whose data key belongs to another master key.
type brokenKeys struct{ keys, added []storage.DataKey }

func (b *brokenKeys) DataKeys(context.Context) ([]storage.DataKey, error) { return b.keys, nil }

func (b *brokenKeys) AddDataKey(_ context.Context, k storage.DataKey) error {
	b.added = append(b.added, k)
	return nil
}

func TestSealingVaultMakesNoSecondKey(t *testing.T) {
	t.Parallel()
	right, err := storage.ParseMasterKey(storage.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := storage.ParseMasterKey(storage.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	key, err := storage.NewVault(right).NewDataKey(t.Context(), d.now)
	if err != nil {
		t.Fatal(err)
	}
	s := &brokenKeys{keys: []storage.DataKey{key}}
	if _, err := sealingVault(t.Context(), s, wrong, d.now); !errors.Is(err, storage.ErrWrongMasterKey) || len(s.added) > 0 {
		t.Fatalf("error %v, %d keys added", err, len(s.added))
	}
	if _, err := sealingVault(t.Context(), s, nil, d.now); !errors.Is(err, storage.ErrNoMasterKey) || len(s.added) > 0 {
		t.Fatalf("error %v, %d keys added", err, len(s.added))
	}
}
