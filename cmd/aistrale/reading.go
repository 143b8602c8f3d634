package main

import (
	"time"

	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/proxy"
)

// readMetrics tells of what is no print of a request, at each scrape.
func (s *service) readMetrics(tell telemetry.Tell) {
	waiting, dropped := s.counting.unsettled()
	tell("aistrale_limits_unsettled", float64(waiting))
	tell("aistrale_limits_dropped_total", float64(dropped))
	tell("aistrale_ledger_lag_records", float64(s.accounts.lag()))
	tell("aistrale_cache_dropped_total", float64(s.replies.dropped()))
	tell("aistrale_payloads_dropped_total", float64(s.payloads.dropped()))
	tell("aistrale_events_dropped_total", float64(s.plane.notices.Dropped()))
	tell("aistrale_audit_export_lag_records", float64(s.plane.unexported()))
	tell("aistrale_store_unrung_total", float64(s.news.unrung()))
	tell("aistrale_open_requests", float64(s.gateway.OpenFlights()))
	s.readBudgets(tell)
	s.readHealth(tell)
}

// readHealth tells how providers and their credentials do.
func (s *service) readHealth(tell telemetry.Tell) {
	breakers, aside := map[string]policy.State{}, map[[2]string]bool{}
	for _, a := range s.gateway.Ailing(time.Now()) {
		breakers[a.Provider] = max(breakers[a.Provider], a.State)
		if a.State == policy.StateAside {
			aside[[2]string{a.Provider, a.Credential}] = true
		}
	}
	for a := range s.gateway.Snapshot().AllAccounts() {
		tell("aistrale_breaker_state", breakerState(breakers[a.Name]), a.Name)
		tell("aistrale_credential_state", credentialState(a, aside[[2]string{a.Name, a.Credential}]), a.Name, a.Credential)
	}
}

// breakerState is a state as the metric shows it.
func breakerState(s policy.State) float64 {
	switch s {
	case policy.StateOpen:
		return 2
	case policy.StateHalfOpen:
		return 1
	default:
		return 0
	}
}

func credentialState(a *proxy.Account, aside bool) float64 {
	switch {
	case a.NeedsKey:
		return 2
	case aside:
		return 1
	}
	return 0
}
