package main

import (
	"time"

	"github.com/aistrale/aistrale/internal/telemetry"
	"github.com/aistrale/aistrale/policy"
	"github.com/aistrale/aistrale/proxy"
	"github.com/aistrale/aistrale/storage"
	"github.com/aistrale/aistrale/storage/journal"
	"github.com/aistrale/aistrale/storage/postgres"
	"github.com/aistrale/aistrale/storage/sqlite"
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
	tell("aistrale_webhook_lag_seconds", s.plane.undelivered().Seconds())
	s.readLoad(tell)
	s.readStores(tell)
	s.tracer.Read(tell)
	s.shipper.Read(tell)
	s.defects.read(tell)
	s.readBudgets(tell)
	s.readHealth(tell)
	s.data.read(tell, "gateway")
	s.admin.read(tell, "control_plane")
}

// readLoad tells what is under way.
func (s *service) readLoad(tell telemetry.Tell) {
	l := s.gateway.Load()
	tell("aistrale_open_connections", float64(s.server.Connections()))
	tell("aistrale_open_requests", float64(l.Requests))
	tell("aistrale_limit_waiting", float64(l.Waiting))
	tell("aistrale_body_memory_bytes", float64(l.BodyMemory))
	tell("aistrale_body_memory_limit_bytes", float64(s.started.BodyMemory))
	tell("aistrale_upload_disk_bytes", float64(l.UploadDisk))
	tell("aistrale_upload_disk_limit_bytes", float64(s.started.UploadDisk))
}

// pooled is a store that says how its connections stand.
type pooled interface{ Pools() []storage.Pool }

// readStores tells how the stores and the journal do.
func (s *service) readStores(tell telemetry.Tell) {
	var of []pooled
	nouns := "postgres"
	if store, ok := s.store.nounStore.(*sqlite.Store); ok {
		nouns, of = "sqlite", append(of, store)
	} else if store, ok := s.store.nounStore.(*postgres.Store); ok {
		of = append(of, store)
	}
	tell("aistrale_store_up", truth(s.storeUp.Load()), nouns)
	if ledger, ok := s.accounts.ledger.(*sqlite.Ledger); ok {
		of = append(of, ledger)
	}
	if shared := s.counting.shared; shared != nil {
		tell("aistrale_store_up", truth(shared.Up()), "redis")
		of = append(of, shared)
	}
	if s.replies.shared != nil {
		of = append(of, s.replies.shared)
	}
	if s.news.bell != nil {
		of = append(of, s.news.bell)
	}
	for _, store := range of {
		readPools(tell, store.Pools())
	}
	if files, ok := s.accounts.journal.(*journal.Journal); ok {
		bytes, failing := files.Stands()
		tell("aistrale_journal_bytes", float64(bytes))
		tell("aistrale_journal_failing", truth(failing))
	}
}

func readPools(tell telemetry.Tell, pools []storage.Pool) {
	for _, p := range pools {
		tell("aistrale_store_connections", float64(p.InUse), p.Store, p.Name, "in_use")
		tell("aistrale_store_connections", float64(p.Idle), p.Store, p.Name, "idle")
		tell("aistrale_store_connections_limit", float64(p.Limit), p.Store, p.Name)
		tell("aistrale_store_pool_waits_total", float64(p.Waits), p.Store, p.Name)
		tell("aistrale_store_pool_wait_seconds_total", p.Waited.Seconds(), p.Store, p.Name)
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
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
