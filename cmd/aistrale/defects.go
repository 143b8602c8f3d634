package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/internal/defect"
	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/redis"
)

// defects logs what is our own fault, and tells Sentry where that is wanted. It implements
// proxy.Defects.
type defects struct {
	log      *slog.Logger
	reporter *defect.Reporter // nil: nobody is told
	known    func(provider, model string) bool
}

func newDefects(config *Config, log *slog.Logger, known func(provider, model string) bool) (*defects, error) {
	d := &defects{log: log, known: known}
	s := &config.Sentry
	if s.DSN.Empty() {
		return d, nil
	}
	release := "aistrale@" + version
	if revision != "" {
		release += "+" + revision
	}
	reporter, err := defect.New(defect.Options{
		DSN: s.DSN, Environment: s.Environment, Release: release, Node: config.Node, PerMinute: s.PerMinute, Log: log,
		Known: []error{
			storage.ErrNotFound, storage.ErrExists, storage.ErrLedgerUnavailable, storage.ErrNoMasterKey, storage.ErrWrongMasterKey,
			storage.ErrSealBroken, storage.ErrChanged, redis.ErrDown, redis.ErrUnknown,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("sentry.dsn: %w", err)
	}
	d.reporter = reporter
	return d, nil
}

// Panicked implements proxy.Defects.
func (d *defects) Panicked(r *storage.Record, cause any, stack []byte) {
	d.log.Error("panic", "request_id", r.ID, "cause", fmt.Sprint(cause), "stack", string(stack))
	d.reporter.Report(d.of(r, cause, true))
}

// Failed implements proxy.Defects. The request's own line is in the log.
func (d *defects) Failed(r *storage.Record, err error) { d.reporter.Report(d.of(r, err, false)) }

// of is a request's defect, in the operator's words alone: clients can make models' names up.
func (d *defects) of(r *storage.Record, cause any, panicked bool) *defect.Defect {
	model := r.Model
	if !d.known(r.Provider, model) {
		model = ""
	}
	tags := map[string]string{"provider": r.Provider, "model": model, "op": r.Op.String(), "outcome": string(r.Outcome)}
	if r.Status > 0 {
		tags["status"] = strconv.Itoa(r.Status)
	}
	code := r.Fault
	if panicked {
		code = "panic"
	}
	return &defect.Defect{
		Plane: "data", Code: code, Cause: cause, Panicked: panicked, RequestID: r.ID, Trace: r.Trace, What: r.Op.String(), Tags: tags,
	}
}

// control reports a defect of the control plane, which has logged it.
func (d *defects) control(c admin.Defect) {
	code := "internal_error"
	if c.Panicked {
		code = "panic"
	}
	d.reporter.Report(&defect.Defect{
		Plane: "control", Code: code, Cause: c.Cause, Panicked: c.Panicked, RequestID: c.RequestID, What: c.Route,
		Tags: map[string]string{"status": strconv.Itoa(http.StatusInternalServerError)},
	})
}

// beside reports a panic in work beside requests, which was recovered.
func (d *defects) beside(what string, cause any) {
	d.reporter.Report(&defect.Defect{Plane: "data", Code: "panic", Cause: cause, Panicked: true, What: what})
}

// read tells of defects that Sentry was not told of.
func (d *defects) read(tell telemetry.Tell) {
	dropped := d.reporter.Dropped()
	tell("aistrale_sentry_dropped_total", float64(dropped.Rate), "rate")
	tell("aistrale_sentry_dropped_total", float64(dropped.Queue), "queue")
	tell("aistrale_sentry_dropped_total", float64(dropped.Unsent), "unsent")
}

// close sends what waits, within a bound.
func (d *defects) close() {
	if d == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := d.reporter.Close(ctx); err != nil {
		d.log.Warn("sentry: not all that waited was sent", "error", err.Error())
	}
}
