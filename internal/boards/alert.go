package boards

import (
	"slices"
	"strings"
	"unicode"
)

// The severities of alerts: what wants somebody at once, what wants somebody today, and what is
// good to know.
const (
	critical = "critical"
	warning  = "warning"
	info     = "info"
)

// runbooks is where the pages of alerts are read. One that you keep a copy of is yours to name.
const runbooks = "https://github.com/aistrale/aistrale/blob/main/docs/runbooks/"

// An Alert is a rule by which Prometheus tells of trouble.
type Alert struct {
	Name, Severity string
	For            string // how long the query must give something
	Query          Query
	Summary        string // one line; {{ $labels.provider }} and {{ $value }} as Prometheus has them
	Description    string
}

// Page names the alert's page under docs/runbooks: AistraleLedgerLost has ledger-lost.
func (a *Alert) Page() string {
	var page []rune
	for i, r := range strings.TrimPrefix(a.Name, "Aistrale") {
		if unicode.IsUpper(r) && i > 0 {
			page = append(page, '-')
		}
		page = append(page, unicode.ToLower(r))
	}
	return string(page)
}

// A group is rules that Prometheus evaluates together, under the name.
type group struct {
	name       string
	recordings []recording
	alerts     []Alert
}

func groups() []group {
	return []group{
		{name: "aistrale-recordings", recordings: recordings()},
		{name: "aistrale-requests", alerts: requestAlerts()},
		{name: "aistrale-providers", alerts: providerAlerts()},
		{name: "aistrale-limits", alerts: limitAlerts()},
		{name: "aistrale-ledger", alerts: ledgerAlerts()},
		{name: "aistrale-gateway", alerts: slices.Concat(gatewayAlerts(), certificateAlerts(), droppedAlerts())},
	}
}

// Alerts gives all alerts in the order of their files.
func Alerts() []Alert {
	var all []Alert
	for _, g := range groups() {
		all = append(all, g.alerts...)
	}
	return all
}
