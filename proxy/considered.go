package proxy

import (
	"time"

	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/storage"
)

// passOver notes a place that the call does not go to, and why. Plain calls have none.
func (f *flight) passOver(t policy.Target, credential string, fate storage.Fate) {
	f.considered = append(f.considered, storage.Candidate{Provider: t.Provider, Model: t.Model, Credential: credential, Fate: fate})
}

// passOverPlaces notes places that are left out of a route.
func (f *flight) passOverPlaces(places []target, out func(*target) bool, fate storage.Fate) {
	for i := range places {
		if t := &places[i]; out(t) {
			f.passOver(t.Target, t.account.Credential, fate)
		}
	}
}

// note keeps what became of each target. Where there was one, and nothing was passed over, the
// call's attempts say it all.
func (w *walk) note() {
	if len(w.targets) > 1 || len(w.f.considered) > 0 {
		w.noteAll()
	}
}

func (w *walk) noteAll() {
	f := w.f
	behind, now := false, time.Now()
	for i := range w.targets {
		t := &w.targets[i]
		f.considered = append(f.considered, storage.Candidate{
			Provider: t.Provider, Model: t.Model, Credential: t.account.Credential, Fate: w.fate(t, behind, now), Fault: t.fault,
		})
		behind = behind || t == w.served
	}
}

// fate says what became of a target. One that stands behind the one that served was not needed,
// whatever its health is.
func (w *walk) fate(t *target, behind bool, now time.Time) storage.Fate {
	asked, how := w.f.attempted(t)
	switch {
	case t == w.served:
		return storage.FateServed
	case asked && how == storage.OutcomeHedged:
		return storage.FateHedged
	case asked:
		return storage.FateFailed
	case t.tried:
		return storage.FateRefused
	case t.shut:
		return storage.FateBreaker
	case t.dead:
		return storage.FateGivenUp
	case behind:
		return storage.FateSpare
	}
	fate := t.health(now)
	if fate == storage.FateSpare && w.served == nil {
		return storage.FateGivenUp
	}
	return fate
}

// health is the fate of a target that nobody asked, by how it does.
func (t *target) health(now time.Time) storage.Fate {
	switch s, _ := t.standing(now); s {
	case policy.StateOpen:
		return storage.FateBreaker
	case policy.StateCooling:
		return storage.FateCooling
	case policy.StateAside:
		return storage.FateAside
	case policy.StateClosed, policy.StateHalfOpen:
	}
	return storage.FateSpare
}

// attempted reports whether a target was asked, and how the last attempt ended.
func (f *flight) attempted(t *target) (asked bool, how storage.Outcome) {
	for i := range f.rec.Attempts {
		a := &f.rec.Attempts[i]
		if a.Provider == t.Provider && a.Model == t.Model && a.Credential == t.account.Credential {
			asked, how = true, a.Outcome
		}
	}
	return asked, how
}
