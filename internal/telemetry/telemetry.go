// Package telemetry prints a storage.Record as metrics, a log line and spans, so that they can
// never disagree. It must never block a request, show a prompt or a secret, or take a client's
// free text for a metric's label.
package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aistrale/aistrale/storage"
)

// Options configures a Telemetry. The zero value counts every model as "other" and writes no
// request log.
type Options struct {
	// Log takes one JSON line per request; nil writes none. It is called by one goroutine.
	Log io.Writer
	// Level is the least level that is logged; nil is info.
	Level slog.Leveler
	// Known reports whether the provider is configured and the model, as the provider spells
	// it, is one that the operator or the catalogue names. All other models count as "other".
	// It must be quick and safe for concurrent use; nil knows no model.
	Known func(provider, model string) bool
	// Read tells of all that is kept elsewhere, at each scrape; nil tells of nothing. It must not
	// keep tell.
	Read func(tell Tell)
	// Tracer takes the spans of requests; its owner closes it. nil traces nothing.
	Tracer *Tracer
	// Version and Revision are those of the build.
	Version, Revision string
}

// Telemetry counts and logs. It is safe for concurrent use.
type Telemetry struct {
	metrics *metrics
	log     *requestLog // nil where no log is wanted
	tracer  *Tracer
}

// New starts a Telemetry; Close ends it.
func New(o Options) *Telemetry {
	if o.Known == nil {
		o.Known = func(string, string) bool { return false }
	}
	if o.Read == nil {
		o.Read = func(Tell) {}
	}
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	t := &Telemetry{metrics: newMetrics(o), tracer: o.Tracer}
	if o.Log != nil {
		t.log = newRequestLog(o.Log, o.Level, t.metrics.logDropped)
	}
	return t
}

// Observe prints the record of a request that has ended. It keeps nothing of r but its Content, where
// its spans are recorded.
func (t *Telemetry) Observe(r *storage.Record) {
	t.metrics.observe(r)
	if t.log != nil {
		t.log.observe(r)
	}
	t.tracer.observe(r)
}

// StreamOpened counts a stream that has begun; each wants one StreamClosed.
func (t *Telemetry) StreamOpened() { t.metrics.openStreams.Inc() }

// StreamClosed counts a stream that has ended, however it did.
func (t *Telemetry) StreamClosed() { t.metrics.openStreams.Dec() }

// Reloaded notes the end of a reload of the configuration. After a good one, models are asked
// for anew, so that one that has just been configured leaves "other".
func (t *Telemetry) Reloaded(ok bool) { t.metrics.reloaded(ok) }

// StoreChanged counts a change of the store that is in force: "told", or "looked" for.
func (t *Telemetry) StoreChanged(how string) { t.metrics.storeChanges.WithLabelValues(how).Inc() }

// StoreTells notes whether a line stands by which changes of the store are told of.
func (t *Telemetry) StoreTells(line string, up bool) {
	n := 0.0
	if up {
		n = 1
		t.metrics.lineUps.WithLabelValues(line).Inc()
	}
	t.metrics.lineUp.WithLabelValues(line).Set(n)
}

// LedgerLost counts records that the ledger could not keep. It must stay 0.
func (t *Telemetry) LedgerLost(records int) { t.metrics.ledgerLost.Add(float64(records)) }

// JournalSynced notes how long the disk took to make the journal durable.
func (t *Telemetry) JournalSynced(took time.Duration) { t.metrics.fsync.Observe(took.Seconds()) }

// JournalAdopted counts records of gateways that died, which this one brings to the ledger.
func (t *Telemetry) JournalAdopted(records int) { t.metrics.journalAdopted.Add(float64(records)) }

// Handler serves the metrics in Prometheus' form.
func (t *Telemetry) Handler() http.Handler { return t.metrics.handler() }

// Close writes the log lines that are still held and ends the writer. Requests observed after
// it are counted, and their lines as dropped. Its error wraps ctx's where the log's taker is
// too slow, or is the taker's own.
func (t *Telemetry) Close(ctx context.Context) error {
	if t.log == nil {
		return nil
	}
	err := t.log.close(ctx)
	if err != nil {
		return errors.Join(errors.New("telemetry: the request log is not written to its end"), err)
	}
	return nil
}
