package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aistrale/aistrale/storage"
)

// lastKnownName is the file's name in data_dir.
const lastKnownName = "last-known.json"

// lastKnown is a copy, on the node's own disk, of what a store on another machine said last: a
// gateway that starts while that one is down serves by it. It holds what the store holds, hashes
// and sealed secrets, and nothing in plain text.
type lastKnown struct {
	path   string
	target string // of the store: a copy of another one is never taken
}

// lastKnownFile is the file's content.
type lastKnownFile struct {
	Target  string    `json:"target"`
	SavedAt time.Time `json:"saved_at"`
	Nouns   *nouns    `json:"nouns"`
}

func newLastKnown(dataDir string, postgres storage.Secret) *lastKnown {
	l := &lastKnown{path: filepath.Join(dataDir, lastKnownName)}
	if u, err := url.Parse(postgres.Reveal()); err == nil {
		l.target = u.Host + u.Path + "?" + url.Values{"search_path": u.Query()["search_path"]}.Encode()
	}
	return l
}

// save replaces the copy; who reads meanwhile sees the old one or the new one, whole.
func (l *lastKnown) save(n *nouns, now time.Time) error {
	text, err := json.Marshal(lastKnownFile{Target: l.target, SavedAt: now.UTC(), Nouns: n}, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	dir := filepath.Dir(l.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	temp, err := os.CreateTemp(dir, lastKnownName+".*") // 0600
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	if err := os.Rename(temp.Name(), l.path); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	return syncFolder(dir)
}

// load gives the copy and when it was made. It wraps fs.ErrNotExist where there is none.
func (l *lastKnown) load() (*nouns, time.Time, error) {
	text, err := os.ReadFile(l.path)
	if err != nil {
		return nil, time.Time{}, err
	}
	var file lastKnownFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, time.Time{}, fmt.Errorf("%s: %w", l.path, err)
	}
	if file.Target != l.target || file.Nouns == nil {
		return nil, time.Time{}, fmt.Errorf("%s: is of another database", l.path)
	}
	return file.Nouns, file.SavedAt, nil
}
