package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aistrale/aistrale/admin"
	"github.com/aistrale/aistrale/storage/journal"
)

// conditions are what reloading leaves behind for those who ask how the gateway does.
type conditions struct {
	config admin.Condition // the last load of the file
	store  admin.Condition // the last look at the store
	locked atomic.Pointer[[]string]
}

// parts says how each part of the gateway does. It asks nobody, and waits for nothing. A part is
// down only where this node is better passed over: what all nodes have lost at once, PostgreSQL or
// Redis, takes none of them out.
func (s *service) parts() []admin.Part {
	parts := []admin.Part{
		s.gatewayPart(),
		s.conditions.config.Part("config", "the last load of the file failed, and what it said before is in force"),
		s.storePart(), s.journalPart(), s.ledgerPart(),
	}
	if s.counting.shared != nil {
		parts = append(parts, s.redisPart())
	}
	parts = append(parts, s.credentialsPart(), s.circuitsPart(),
		s.plane.audits.Condition.Part("audit", "the log cannot be chained or witnessed"))
	for _, x := range s.plane.exports {
		p := x.Condition.Part("audit_export", "a copy of the audit log lags behind")
		if p.State != admin.PartOK {
			p.Why += fmt.Sprintf(", %d records", x.Lag())
		}
		parts = append(parts, p)
	}
	return parts
}

// able reports whether what the gateway stands on lets it serve.
func (s *service) able() bool {
	return s.storePart().State != admin.PartDown && s.journalPart().State != admin.PartDown
}

func sound(name string) admin.Part { return admin.Part{Name: name, State: admin.PartOK} }

func (s *service) gatewayPart() admin.Part {
	p := sound("gateway")
	switch {
	case s.gateway.Snapshot() == nil:
		p.State, p.Why = admin.PartDown, "it starts"
	case s.gateway.Draining():
		p.State, p.Why = admin.PartDown, fmt.Sprintf("it drains, and %d requests are under way", s.gateway.OpenFlights())
	}
	return p
}

// storePart is down only where no key at all is known: else what is known is served.
func (s *service) storePart() admin.Part {
	p := s.conditions.store.Part("store", "it cannot be read; what it said before is in force")
	if state := s.gateway.Snapshot(); state != nil && state.Keys.Blind() {
		p.State, p.Why = admin.PartDown, "it cannot be read, and no key is known without it"
	}
	return p
}

// journalPart is down where requests are refused for this node's own disk.
func (s *service) journalPart() admin.Part {
	p := sound("journal")
	if s.accounts.journal == nil {
		return p
	}
	err := s.accounts.journal.Trouble()
	if err == nil {
		return p
	}
	p.State, p.Error = admin.PartDegraded, err.Error()
	_, own := s.accounts.journal.(*journal.Journal)
	switch {
	case s.started.Journal.OnError == "continue":
		p.Why = "it takes no records: what is used now is lost"
	case own:
		p.State, p.Why = admin.PartDown, "its disk takes no records, and requests are refused"
	default:
		p.Why = "its database takes no records, and requests are refused"
	}
	return p
}

func (s *service) ledgerPart() admin.Part {
	p := sound("ledger")
	if s.accounts.journal == nil {
		return p
	}
	switch err := s.accounts.journal.Stuck(); {
	case err != nil:
		p.State, p.Error, p.Why = admin.PartDegraded, err.Error(), fmt.Sprintf("it takes nothing, and %d records wait", s.accounts.lag())
	case s.accounts.lacking.Load():
		p.State, p.Why = admin.PartDegraded, "it lacks what earlier gateways spent, and budgets refuse until it has it"
	}
	return p
}

func (s *service) redisPart() admin.Part {
	p := sound("redis")
	if !s.counting.shared.Up() {
		p.State, p.Why = admin.PartDegraded, "it does not answer; limits follow storage.redis_mode, "+s.started.Storage.RedisMode
	}
	return p
}

func (s *service) credentialsPart() admin.Part {
	p := sound("credentials")
	if locked := s.conditions.locked.Load(); locked != nil && len(*locked) > 0 {
		p.State, p.Why = admin.PartDegraded, "some cannot be opened, of "+strings.Join(*locked, ", ")
	}
	return p
}

func (s *service) circuitsPart() admin.Part {
	p := sound("circuits")
	var ailing []string
	for _, a := range s.gateway.Ailing(time.Now()) {
		if name := a.Provider + " " + a.State.String(); !slices.Contains(ailing, name) {
			ailing = append(ailing, name)
		}
	}
	if len(ailing) > 0 {
		p.State, p.Why = admin.PartDegraded, strings.Join(ailing, ", ")
	}
	return p
}

// lockedOf names the providers that have a credential which cannot be opened.
func lockedOf(credentials map[string][]credential) []string {
	var names []string
	for provider, list := range credentials {
		if slices.ContainsFunc(list, func(c credential) bool { return c.err != nil }) {
			names = append(names, provider)
		}
	}
	slices.Sort(names)
	return names
}
