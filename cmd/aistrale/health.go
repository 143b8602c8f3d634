package main

import (
	"time"

	"github.com/aistrale/aistrale/policy"
)

// healthChanged reports a circuit that opened or closed, and a credential that was set aside.
func (s *service) healthChanged(c policy.Change) {
	s.circuits.changed(c, time.Now())
	place := []any{"provider", c.Provider, "credential", c.Credential}
	switch c.State {
	case policy.StateAside:
		s.log.Warn("a credential is refused by its provider, and set aside while there is another", place...)
	case policy.StateClosed:
		s.log.Info("a circuit has closed", append(place, "model", c.Model)...)
	default:
		s.log.Warn("a circuit is "+c.State.String(), append(place, "model", c.Model)...)
	}
}
