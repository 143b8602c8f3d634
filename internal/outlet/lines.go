package outlet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Lines appends lines to a file and makes them last. It opens the file each time, so that others
// may rotate it, and makes it (0600) where it is missing. What was cut off amid a line by the end of
// a process is taken out, and lines that the file ends with already are not written again.
type Lines struct {
	Path string
	sure bool // that the file's end is what was put last
}

// maxTail is how much of the file's end is looked at.
const maxTail = 4 << 20

// Name implements admin.Outlet.
func (l *Lines) Name() string { return l.Path }

// Put implements admin.Outlet.
func (l *Lines) Put(_ context.Context, _ string, text []byte) (err error) {
	file, err := os.OpenFile(l.Path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if !l.sure {
		if text, err = mend(file, text); err != nil {
			return err
		}
	}
	l.sure = false
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	l.sure = true
	return nil
}

// mend cuts the file back to its last whole line, and gives the lines that it does not have.
func mend(file *os.File, text []byte) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-maxTail)
	tail := make([]byte, info.Size()-from)
	if _, err := file.ReadAt(tail, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	whole := bytes.LastIndexByte(tail, '\n') + 1
	if whole == 0 && from > 0 {
		return nil, fmt.Errorf("%s: it does not end with lines", file.Name())
	}
	if err := file.Truncate(from + int64(whole)); err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for line := range bytes.Lines(tail[:whole]) {
		have[string(line)] = true
	}
	var missing []byte
	for line := range bytes.Lines(text) {
		if !have[string(line)] {
			missing = append(missing, line...)
		}
	}
	return missing, nil
}
