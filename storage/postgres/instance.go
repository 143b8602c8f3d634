package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/aistrale/aistrale/storage"
)

// Times between two tries while the database is gone.
const (
	firstTry = 100 * time.Millisecond
	lastTry  = 2 * time.Second
)

// tend is the journal's own goroutine: it says that this gateway lives, pays what is owed, and
// settles what dead gateways left open.
func (j *Journal) tend(ctx context.Context) {
	beat := time.NewTicker(j.o.Dead / 4)
	defer beat.Stop()
	j.live(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			j.live(ctx)
		case <-j.stir:
			j.recover(ctx)
		}
	}
}

// live says that this gateway lives, and looks whether the others do.
func (j *Journal) live(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, j.o.Timeout)
	defer cancel()
	if err := j.beat(bounded); err != nil {
		j.watch.forget()
		return
	}
	dead, err := j.watch.look(bounded, j)
	if err != nil {
		j.watch.forget()
		return
	}
	for _, other := range dead {
		if err := j.bury(ctx, other); err != nil && ctx.Err() == nil {
			j.o.Log.Warn("journal: a dead gateway's open attempts are not settled yet", "instance", other.id, "error", err)
		}
	}
}

func (j *Journal) beat(ctx context.Context) error {
	if err := j.store.Ready(ctx); err != nil {
		return err
	}
	_, err := j.store.writer.Exec(ctx, `INSERT INTO instances (id, node, seen) VALUES ($1, $2, clock_timestamp())
		ON CONFLICT (id) DO UPDATE SET seen = excluded.seen`, j.id, clean(j.o.Node))
	return err
}

// recover tries until the database takes records again and nothing is owed.
func (j *Journal) recover(ctx context.Context) {
	wait := firstTry
	for {
		err := j.settleUp(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, lastTry)
	}
}

func (j *Journal) settleUp(ctx context.Context) error {
	if j.Lag() > 0 {
		return j.Flush(ctx)
	}
	bounded, cancel := context.WithTimeout(ctx, j.o.Timeout)
	defer cancel()
	err := j.beat(bounded)
	if err != nil {
		err = fmt.Errorf("%w: %w", storage.ErrLedgerUnavailable, err)
	}
	j.note(err)
	return err
}

// watch is what this gateway has seen of the others. A gateway is dead whose row has not changed
// for so long while the database could be asked all the time: an hour without a database makes
// nobody dead, and no clocks are compared.
type watch struct{ seen map[uuid.UUID]sight }

// sight is a row of instances, and since when it has not changed.
type sight struct {
	id    uuid.UUID
	beat  time.Time
	since time.Time
}

func (w *watch) forget() { w.seen = nil }

// look gives the gateways that are dead.
func (w *watch) look(ctx context.Context, j *Journal) ([]sight, error) {
	rows, err := j.store.writer.Query(ctx, `SELECT id, seen FROM instances WHERE id <> $1
		UNION ALL SELECT DISTINCT instance, 'epoch'::timestamptz FROM open_attempts o
		WHERE instance <> $1 AND NOT EXISTS (SELECT 1 FROM instances i WHERE i.id = o.instance)`, j.id)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	others, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (sight, error) {
		s := sight{since: now}
		return s, row.Scan(&s.id, &s.beat)
	})
	if err != nil {
		return nil, err
	}
	var dead []sight
	next := make(map[uuid.UUID]sight, len(others))
	for _, other := range others {
		if before, ok := w.seen[other.id]; ok && before.beat.Equal(other.beat) {
			other.since = before.since
		}
		next[other.id] = other
		if now.Sub(other.since) >= j.o.Dead {
			dead = append(dead, other)
		}
	}
	w.seen = next
	return dead, nil
}

// bury settles what a dead gateway left open as lost, and removes its row. Several may do so at
// once: what one has settled is no news from another.
func (j *Journal) bury(ctx context.Context, dead sight) error {
	for {
		open, err := j.open(ctx, dead.id)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			break
		}
		lost := make([]*storage.Entry, 0, len(open))
		for i := range open {
			open[i] = open[i].Lost()
			lost = append(lost, &open[i])
		}
		err = j.deposit(ctx, lost)
		if poison(err) {
			err = j.payEach(ctx, lost)
		}
		if err != nil {
			return err
		}
		if err := j.o.Adopted(open); err != nil {
			j.o.Log.Warn("journal: what a dead gateway had reserved is not given back", "instance", dead.id, "error", err)
		}
		j.o.Log.Warn("journal: attempts of a dead gateway are settled as lost", "instance", dead.id, "attempts", len(lost))
	}
	_, err := j.store.writer.Exec(ctx, `DELETE FROM instances WHERE id = $1 AND seen = $2`, dead.id, dead.beat)
	return err
}

// open gives some attempts that a gateway has not settled.
func (j *Journal) open(ctx context.Context, instance uuid.UUID) ([]storage.Entry, error) {
	rows, err := j.store.writer.Query(ctx, `SELECT entry FROM open_attempts WHERE instance = $1 LIMIT 500`, instance)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (storage.Entry, error) {
		var encoded []byte
		var e storage.Entry
		if err := row.Scan(&encoded); err != nil {
			return e, err
		}
		return e, e.Parse(encoded)
	})
}

// leave removes this gateway's row, unless it leaves something open.
func (j *Journal) leave(ctx context.Context) error {
	if err := j.store.Ready(ctx); err != nil {
		return nil //nolint:nilerr // it was never there
	}
	_, err := j.store.writer.Exec(ctx, `DELETE FROM instances WHERE id = $1
		AND NOT EXISTS (SELECT 1 FROM open_attempts WHERE instance = $1)`, j.id)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
