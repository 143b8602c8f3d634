package proxy

import (
	"cmp"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/storage"
)

// Sounds and images are sold by characters, by their length or by the piece, some models by
// tokens too. What a provider does not tell of it is known from the request, and from what went
// by.

// units is what is known of a call beside what its provider said.
func (f *flight) units() policy.Units {
	u := policy.Units{Op: f.endpoint.Op, Characters: f.asked.Characters, Images: f.asked.Images, Variant: f.asked.Variant}
	switch {
	case f.hears() && f.form != nil:
		u.AudioInMs, u.Counted = f.form.sound.length("")
	case f.endpoint.Op == providers.OpSpeech && f.reply.raw:
		u.AudioOutMs, u.Counted = f.reply.sound.length(f.reply.contentType)
	}
	return u
}

// hears reports whether a sound is read.
func (f *flight) hears() bool {
	return f.endpoint.Op == providers.OpTranscription || f.endpoint.Op == providers.OpTranslation
}

// chargeMedia gives the lines that an attempt is charged for, appended to dst, and what they cost.
func (f *flight) chargeMedia(dst []providers.Normal, t *target, e policy.Ending) ([]providers.Normal, storage.Charge) {
	u := f.units()
	s := policy.SettleMedia(dst, e, &u, f.state.Prices.Sold(f.called(t, false)))
	charge := f.charge(t, s.Lines, s.Estimated)
	if s.Unknown && charge.Known() {
		charge.CostNano, charge.Unpriced = 0, policy.UnpricedUnits
	}
	return s.Lines, charge
}

// reachMedia says how far a call can go.
func (f *flight) reachMedia(t *target, r *policy.Reach) {
	w := &f.bill.lease.wanted
	u := f.units()
	if f.form != nil {
		u.Files = int64(len(f.form.files))
	}
	if f.hears() {
		if f.form != nil {
			u.AudioInMs = f.form.sound.bound()
		}
		if u.AudioInMs == 0 && w.Unbounded == "" {
			w.Unbounded = "file" // the provider fetches the sound by itself
		}
	}
	u.Reach(r, t.account.Kind.Of(t.Target), cmp.Or(t.can.MaxOutput, unknownOutput))
	w.Input, w.Made = r.Input, r.Output
}
