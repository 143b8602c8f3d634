package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
)

const (
	lockName      = "lock"
	positionName  = "shipped"
	segmentSuffix = ".seg1" // the 1 is the format's
	unbornPrefix  = ".new-"
)

// run is the folder of one process's life. Whoever holds its lock owns it: the process itself,
// and once that is dead, the one that ships what it left.
type run struct {
	id   uuid.UUID
	dir  string
	lock *os.File
}

// newRun makes a run under base. The folder gets its name only when it is locked, so that
// nobody takes it for a dead one in between.
func newRun(base string) (*run, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	unborn, dir := filepath.Join(base, unbornPrefix+id.String()), filepath.Join(base, id.String())
	if err := os.MkdirAll(unborn, 0o700); err != nil {
		return nil, err
	}
	lock, err := tryLock(unborn)
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return nil, fmt.Errorf("%s is locked by another process", unborn)
	}
	if err := errors.Join(os.Rename(unborn, dir), syncDir(base)); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &run{id: id, dir: dir, lock: lock}, nil
}

// tryLock locks a run's folder, and gives nil where it is locked already. The kernel drops the
// lock when the process ends, however it ends.
func tryLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, f.Close()
		default:
			return nil, errors.Join(os.NewSyscallError("flock", err), f.Close())
		}
	}
}

// deadRuns locks and gives the runs under base whose process is gone, oldest first. Folders that
// can't be looked at are told in err, beside the runs that can.
func deadRuns(base string) (dead []*run, err error) {
	entries, err := os.ReadDir(base)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		dir := filepath.Join(base, entry.Name())
		if strings.HasPrefix(entry.Name(), unbornPrefix) {
			sweepUnborn(dir, entry)
			continue
		}
		id, notOurs := uuid.Parse(entry.Name())
		if notOurs != nil || !entry.IsDir() {
			continue
		}
		lock, failed := tryLock(dir)
		if failed != nil && !errors.Is(failed, os.ErrNotExist) { // else another process just finished it
			err = errors.Join(err, failed)
		}
		if lock != nil {
			dead = append(dead, &run{id: id, dir: dir, lock: lock})
		}
	}
	return dead, err
}

// sweepUnborn removes the folder of a process that died before it was named. It holds nothing.
func sweepUnborn(dir string, entry os.DirEntry) {
	if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > time.Hour {
		_ = os.RemoveAll(dir)
	}
}

func (r *run) segment(seq int) string {
	return filepath.Join(r.dir, fmt.Sprintf("%08d%s", seq, segmentSuffix))
}

// extents lists the run's segments as they are in its folder.
func (r *run) extents() ([]extent, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return nil, err
	}
	var all []extent
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), segmentSuffix)
		seq, err := strconv.Atoi(name)
		if !ok || err != nil {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, extent{seq: seq, size: info.Size()})
	}
	slices.SortFunc(all, func(a, b extent) int { return a.seq - b.seq })
	return all, nil
}

// foreign names a file in the run's folder that this release does not know: then a newer one
// made the run, and only a newer one can finish it.
func (r *run) foreign() (string, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		name := entry.Name()
		if name != lockName && name != positionName && !strings.HasSuffix(name, segmentSuffix) {
			return name, nil
		}
	}
	return "", nil
}

// remove ends a run of which nothing is owed. The lock goes last.
func (r *run) remove() error {
	extents, err := r.extents()
	for _, x := range extents {
		err = errors.Join(err, os.Remove(r.segment(x.seq)))
	}
	if err == nil {
		err = os.RemoveAll(r.dir)
	}
	return errors.Join(err, r.lock.Close())
}

// leave gives the run up to whoever comes next.
func (r *run) leave() error { return r.lock.Close() }
