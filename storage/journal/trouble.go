package journal

import (
	"fmt"
	"time"
)

// trouble is a disk that takes no records. All of it is under the journal's mutex.
type trouble struct {
	err  error // nil where all is well
	lost int   // records since it began
	said time.Time
	told bool // that it began
}

// Trouble gives why the disk takes no records; nil where it does.
func (j *Journal) Trouble() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.trouble.err
}

// Stuck gives why the ledger took nothing when it was last given something; nil where it did.
func (j *Journal) Stuck() error {
	if err := j.shipper.stuck.Load(); err != nil {
		return *err
	}
	return nil
}

// mark notes that the disk failed, and says so once. A disk that comes and goes is not told each
// time.
func (j *Journal) mark(err error) {
	if j.trouble.err != nil {
		return
	}
	now := time.Now()
	j.trouble = trouble{err: err, told: now.Sub(j.toldAt) >= j.o.pace.sayAgain}
	if !j.trouble.told {
		return
	}
	j.toldAt = now
	j.o.Log.Error("the journal's disk takes no records: see data_dir and journal.on_error", "policy", j.policy(), "err", err)
}

// heal notes that the disk takes records again.
func (j *Journal) heal() {
	if j.trouble.err == nil {
		return
	}
	if j.trouble.told || j.trouble.lost > 0 {
		j.o.Log.Info("the journal's disk takes records again", "lost", j.trouble.lost)
	}
	j.trouble = trouble{}
}

// lose notes records that could not be kept. Whoever calls it calls Options.Lost too, when it
// has let go of the mutex.
func (j *Journal) lose(n int, err error) {
	if n == 0 {
		return
	}
	j.trouble.lost += n
	if now := time.Now(); now.Sub(j.trouble.said) >= j.o.pace.sayAgain {
		j.trouble.said = now
		j.o.Log.Error("usage records are lost", "lost", j.trouble.lost, "err", err)
	}
}

func (j *Journal) policy() string {
	if j.o.Continue {
		return "continue"
	}
	return "deny"
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }
