package boards

func ledgerAlerts() []Alert {
	return []Alert{
		{
			Name: "AistraleLedgerLost", Severity: critical,
			Query:       grew(metric("aistrale_ledger_lost_total"), "1h"),
			Summary:     "{{ $labels.instance }} lost records of the ledger",
			Description: "Requests were served whose record could not be kept. Usage and budgets lack them; the request log has them.",
		},
		{
			Name: "AistraleJournalFailing", Severity: critical, For: "1m",
			Query:       equals(metric("aistrale_journal_failing"), 1),
			Summary:     "The disk of {{ $labels.instance }} takes no records",
			Description: "It is full or broken. Under journal.on_error: deny requests get a 503; under continue they are served and lost to the ledger.",
		},
		{
			Name: "AistraleLedgerLag", Severity: warning, For: "5m",
			Query:       above(leastOf(metric("aistrale_ledger_lag_records"), "10m"), 5000),
			Summary:     "{{ $value }} records of {{ $labels.instance }} are not in the ledger yet",
			Description: "The ledger's database is away or too slow. Nothing is lost as long as the journal has room.",
		},
		{
			Name: "AistraleAuditExportBehind", Severity: warning, For: "5m",
			Query:       above(most(leastOf(metric("aistrale_audit_export_lag_records"), "15m"), "job"), 100),
			Summary:     "An export of the audit log lacks {{ $value }} records",
			Description: "Its taker is away or too slow. The store keeps the records, and the export goes on where it stopped.",
		},
	}
}
