package proxy

import (
	"context"
	"log/slog"
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Debug says of the calls of some keys what each step did: names and numbers, never a body, a
// header's value or a secret.
type Debug struct {
	Log   *slog.Logger
	Until map[string]time.Time // by the keys' public ids
}

// of reports whether all is to be said of a key's calls.
func (d *Debug) of(key *storage.Key, now time.Time) bool {
	return d != nil && now.Before(d.Until[key.ID])
}

// explain writes a line about a step. Its callers ask f.rec.Debug first, so that no other call
// pays for what they gather.
func (f *flight) explain(step string, what ...slog.Attr) {
	first := []slog.Attr{slog.String("request_id", f.rec.ID), slog.String("key_id", f.rec.KeyID), slog.String("step", step),
		slog.Int64("at_us", time.Since(f.start).Microseconds())}
	f.state.Debug.Log.LogAttrs(context.Background(), slog.LevelDebug, "debug", append(first, what...)...)
}

// explainRequest says what came in and was admitted.
func (f *flight) explainRequest() {
	var names headerNames
	for name := range f.fc.Request.Header.All() {
		names.add(name)
	}
	f.explain("admitted", slog.String("op", f.endpoint.Op.String()), slog.String("asked", storage.MaskBearers(f.rec.Asked)),
		slog.Bool("stream", f.asked.Stream), slog.Int("body_bytes", len(f.body)), slog.Any("headers", names))
}

// explainRoute says where the call may go, in this order.
func (f *flight) explainRoute(targets []target) {
	places := make([]string, len(targets))
	for i := range targets {
		places[i] = spell(targets[i].place())
	}
	f.explain("routed", slog.Bool("alias", f.alias != nil), slog.Any("places", places))
}

func spell(p policy.Place) string { return p.Provider + "/" + p.Model + " by " + p.Credential }

// explainAttempt says what is about to be sent, and what is reserved for it.
func (f *flight) explainAttempt(t *target, plan *providers.Plan) {
	f.explain("attempt", slog.Int("number", len(f.rec.Attempts)), slog.String("place", spell(t.place())), slog.Bool("exact", f.rec.Exact),
		slog.Any("dropped", plan.Dropped), slog.Int("requests", len(plan.Requests)), slog.String("lease", f.rec.Lease))
}

// explainAnswer says what an upstream's answer begins with.
func (f *flight) explainAnswer(head Head) {
	var names headerNames
	head.Headers.Headers(func(name, _ []byte) { names.add(name) })
	f.explain("answer", slog.Int("status", head.Status), slog.Bool("stream", head.Stream), slog.Int("length", head.Length),
		slog.Bool("reused", head.Reused), slog.Any("headers", names))
}

// explainEnd says how an attempt ended.
func (f *flight) explainEnd(a *storage.Attempt) {
	f.explain("attempt ended", slog.String("outcome", string(a.Outcome)), slog.Int("status", a.Status), slog.Duration("took", a.Duration))
}

// headerNames are names of headers, bounded, without their values.
type headerNames []string

const mostHeaderNames = 64

func (h *headerNames) add(name []byte) {
	if len(*h) < mostHeaderNames {
		*h = append(*h, storage.MaskBearers(clean(name)))
	}
}
