//go:build linux

package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

const benchKey = "sk-ais-benchkey-kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

// The gateways that are measured: as it is run, and what differs from it in one part.
const (
	whole      = "aistrale" // limits, a budget and the ledger, embedded
	shared     = "shared"   // the same on PostgreSQL and Redis
	bare       = "bare"     // no limits and no journal
	noJournal  = "no journal"
	noLimits   = "no limits"
	noLog      = "no log"    // of requests
	heldBack   = "held back" // nothing is shipped to the ledger
	onPostgres = "postgres"
	onRedis    = "redis" // limits there, and no journal
	wholeRedis = "whole redis"
	base       = "base" // the whole, of another build
)

// flavour is a gateway with something in its config.
type flavour struct {
	name, config string
	tls          bool
	binary       string // "": the one that is measured
}

// program gives the path of its program, in the folder of those that were built.
func (f *flavour) program(bin string) string {
	if f.binary != "" {
		return f.binary
	}
	return filepath.Join(bin, "aistrale")
}

const benchLimits = `limits:
  - {scope: key/bench, requests_per_minute: 100000000, tokens_per_minute: 50000000000, concurrent: 100000}
budgets:
  - {scope: key/bench, usd: 1000000, per: month, unpriced: allow}
`

// flavours are those that a run can have with the stores that there are, and that it wants.
func flavours(s stores, o options) []flavour {
	all := []flavour{
		{name: whole, config: benchLimits}, {name: whole, config: benchLimits, tls: true},
		{name: heldBack, config: benchLimits + "ledger: {ship: false}\n"},
		{name: noJournal, config: benchLimits + "journal: off\n"},
		{name: noLimits}, {name: noLog, config: benchLimits + "log_level: error\n"},
		{name: bare, config: "journal: off\n"},
	}
	postgres := func(n int) string { return fmt.Sprintf("postgres: %q", s.database(n)) }
	redis := func(n int) string { return fmt.Sprintf("redis: \"%s/%d\"", s.redis, n) }
	if s.postgres != "" {
		all = append(all, flavour{name: onPostgres, config: benchLimits + "storage: {" + postgres(0) + "}\n"})
	}
	if s.redis != "" {
		all = append(all, flavour{name: onRedis, config: benchLimits + "journal: off\nstorage: {" + redis(0) + "}\n"},
			flavour{name: wholeRedis, config: benchLimits + "storage: {" + redis(1) + "}\n"})
	}
	if s.postgres != "" && s.redis != "" {
		all = append(all, flavour{name: shared, config: benchLimits + "storage: {" + postgres(1) + ", " + redis(2) + "}\n"})
	}
	if o.base != "" {
		all = append(all, flavour{name: base, config: benchLimits, binary: o.base})
	}
	var wanted []flavour
	for _, f := range all {
		if o.gateways == "" || strings.Contains(","+o.gateways+",", ","+f.name+",") || f.name == base {
			wanted = append(wanted, f)
		}
	}
	return wanted
}
