// Package outlet brings what must be kept outside the gateway's own store to where it is kept.
package outlet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// File appends to a file, one text behind the other. It makes the file (0600) where it is missing.
type File struct{ Path string }

// Name implements admin.Outlet.
func (f File) Name() string { return f.Path }

// Put appends a text and makes it last. One that the file has already is not written again.
func (f File) Put(_ context.Context, _ string, text []byte) error {
	have, err := os.ReadFile(f.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("witness: %w", err)
	}
	if bytes.Contains(have, text) {
		return nil
	}
	file, err := os.OpenFile(f.Path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}
