package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/auditlog"
)

// ExporterOptions are what an Exporter works with.
type ExporterOptions struct {
	Store Store
	Log   *slog.Logger
	Now   func() time.Time
	ID    string // of the outlet, over restarts
	To    Outlet // gets lines of JSON, the oldest first
}

// Exporter copies the audit log to an outlet as it grows, in order and at least once. Each node has
// one for each outlet; they take turns by the document that says how far it has come.
type Exporter struct {
	ExporterOptions
	places   shelf[exportPlace]
	instance string
	lag      atomic.Int64
	// Condition is how exporting goes.
	Condition Condition
}

// exportPlace is how far an outlet has the log, and who is at it until when.
type exportPlace struct {
	Seq   int64
	By    string
	Until time.Time
}

func exportPlaceKind() storage.Kind { return storage.Kind{Name: "audit_export"} }

const (
	exportEvery = time.Second
	exportBatch = 200
	// exportTurn is how long one is at it without a word, exportTimeout how long a batch may take.
	exportTurn     = 30 * time.Second
	exportTimeout  = 10 * time.Second
	exportMostWait = time.Minute
)

// NewExporter makes one; Run runs it.
func NewExporter(o ExporterOptions) *Exporter {
	return &Exporter{ExporterOptions: o, places: shelf[exportPlace]{o.Store, exportPlaceKind()}, instance: rand.Text()[:12]}
}

// Lag gives how many records of the log the outlet did not have at the last look.
func (x *Exporter) Lag() int64 { return x.lag.Load() }

// Run exports until ctx ends. An outlet that is away is tried less and less often, up to a minute.
func (x *Exporter) Run(ctx context.Context) {
	wait, trouble := exportEvery, ""
	for {
		more, err := x.turn(ctx)
		if ctx.Err() == nil {
			x.Condition.Note(err, x.Now())
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if err.Error() != trouble {
				x.Log.Error("the audit log cannot be exported", "to", x.To.Name(), "behind", x.Lag(), "error", err.Error())
			}
			trouble, wait = err.Error(), min(2*wait, exportMostWait)
		default:
			trouble, wait = "", exportEvery
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// turn sends one batch where it is this node's turn, and reports whether there is more.
func (x *Exporter) turn(ctx context.Context) (more bool, err error) {
	place, err := x.place(ctx)
	if err != nil {
		return false, err
	}
	part, err := x.Store.AuditLog(ctx, storage.AuditQuery{After: place.Noun.Seq, Oldest: true, Limit: exportBatch})
	if err != nil {
		return false, err
	}
	if err := x.measure(ctx, place.Noun.Seq); err != nil || len(part) == 0 {
		return false, err
	}
	mine, err := x.take(ctx, &place)
	if err != nil || !mine {
		return false, err
	}
	var text []byte
	for i := range part {
		text = auditlog.AppendRecord(text, &part[i])
	}
	sending, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	last := part[len(part)-1].Seq
	if err := x.To.Put(sending, fmt.Sprintf("audit-%d-%d", part[0].Seq, last), text); err != nil {
		return false, fmt.Errorf("audit.export: %w", err)
	}
	place.Noun.Seq = last
	if mine, err := x.move(ctx, &place); err != nil || !mine {
		return false, err
	}
	return len(part) == exportBatch, x.measure(ctx, last)
}

// place reads how far the outlet is; at first nowhere.
func (x *Exporter) place(ctx context.Context) (kept[exportPlace], error) {
	k, err := x.places.get(ctx, "", x.ID)
	if !errors.Is(err, storage.ErrNotFound) {
		return k, err
	}
	k = kept[exportPlace]{}
	k.ID = x.ID
	if err := x.places.add(ctx, &k, x.Now()); errors.Is(err, storage.ErrExists) { // another node's
		return x.places.get(ctx, "", k.ID)
	} else if err != nil {
		return k, err
	}
	return k, nil
}

// take makes it this node's turn, unless it is another's.
func (x *Exporter) take(ctx context.Context, k *kept[exportPlace]) (bool, error) {
	left := k.Noun.Until.Sub(x.Now())
	switch {
	case k.Noun.By == x.instance && left > exportTimeout:
		return true, nil
	case k.Noun.By != x.instance && left > 0:
		return false, nil
	}
	return x.move(ctx, k)
}

// move keeps the place as this node's; false where another one was faster.
func (x *Exporter) move(ctx context.Context, k *kept[exportPlace]) (bool, error) {
	k.Noun.By, k.Noun.Until = x.instance, x.Now().Add(exportTurn)
	err := x.places.change(ctx, k, x.Now())
	if errors.Is(err, storage.ErrChanged) {
		return false, nil
	}
	return err == nil, err
}

func (x *Exporter) measure(ctx context.Context, seq int64) error {
	newest, err := x.Store.AuditLog(ctx, storage.AuditQuery{Limit: 1})
	if err != nil || len(newest) == 0 {
		return err
	}
	x.lag.Store(newest[0].Seq - seq)
	return nil
}
