package main

import (
	"slices"
	"time"
)

// JournalConfig says where a request is noted before it is sent and after it is settled. As a
// single word it is its store.
type JournalConfig struct {
	Store   string `yaml:"store"`    // journalFile, journalPostgres or journalOff
	Fsync   string `yaml:"fsync"`    // always, interval or never
	OnError string `yaml:"on_error"` // deny or continue
}

// The journal's stores.
const (
	journalFile     = "file"
	journalPostgres = "postgres"
	journalOff      = "off"
)

// LedgerConfig says what becomes of the journal's records, and how long they are kept. Roll-ups
// by day are kept for ever.
type LedgerConfig struct {
	Ship        bool          `yaml:"ship"`
	KeepRows    time.Duration `yaml:"keep_rows"` // 0: for ever; the others too
	KeepMinutes time.Duration `yaml:"keep_minutes"`
	KeepHours   time.Duration `yaml:"keep_hours"`
}

func (v *validator) journal(c *Config) {
	v.word("journal.store", c.Journal.Store, journalFile, journalPostgres, journalOff)
	v.word("journal.fsync", c.Journal.Fsync, "interval", "always", "never")
	v.word("journal.on_error", c.Journal.OnError, "deny", "continue")
	if c.Journal.Store == journalPostgres && c.Storage.Postgres.Empty() {
		v.wrong("journal.store", "is %s, and storage.postgres is not set", journalPostgres)
	}
	if c.Journal.Store == journalPostgres && !c.Ledger.Ship {
		v.wrong("ledger.ship", "is false, and there is nowhere to keep records back: journal.store is %s", journalPostgres)
	}
	for _, keep := range []struct {
		path string
		d    time.Duration
	}{{"keep_rows", c.Ledger.KeepRows}, {"keep_minutes", c.Ledger.KeepMinutes}, {"keep_hours", c.Ledger.KeepHours}} {
		if keep.d < 0 {
			v.wrong("ledger."+keep.path, "is negative; 0 keeps them for ever")
		}
	}
}

// word holds a value to be one of a few words.
func (v *validator) word(path, value string, words ...string) {
	if !slices.Contains(words, value) {
		v.wrong(path, "is %q%s", value, hint(value, words))
	}
}
