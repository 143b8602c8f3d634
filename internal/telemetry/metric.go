package telemetry

import (
	"slices"
	"strings"
)

// Metric describes one metric that the gateway exports. Metrics lists them all; what is
// registered, docs/metrics.md and the dashboards under deploy are made of it.
type Metric struct {
	Name    string
	Kind    Kind
	Unit    string // "seconds", "bytes", "tokens" or "USD"; "" counts things
	Labels  []Label
	Buckets []float64 // upper bounds, of a Histogram
	Help    string
	// Only says under which configuration the metric is exported; "" is any.
	Only string
}

// Kind is what may be asked of a metric.
type Kind string

// The kinds of metrics.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram" // with Buckets; and a native histogram, where the scraper takes one
	Summary   Kind = "summary"
)

// Exports reports whether the gateway exports a series of that name with those labels: the name
// of a metric, or of a part of a histogram (_bucket, with le; _sum; _count), as queries have it.
func Exports(series string, labels ...string) bool {
	return slices.ContainsFunc(Metrics(), func(m Metric) bool { return m.exports(series, labels) })
}

func (m *Metric) exports(series string, labels []string) bool {
	part, ok := strings.CutPrefix(series, m.Name)
	if !ok {
		return false
	}
	switch {
	case part == "": // of a histogram: the native one
	case m.Kind == Histogram && (part == "_sum" || part == "_count" || part == "_bucket"):
	case m.Kind == Summary && (part == "_sum" || part == "_count"):
	default:
		return false
	}
	for _, name := range labels {
		if !slices.Contains(m.labels(), name) && (part != "_bucket" || name != "le") {
			return false
		}
	}
	return true
}

// labels are the names of the labels, in their order.
func (m *Metric) labels() []string {
	names := make([]string, len(m.Labels))
	for i := range m.Labels {
		names[i] = m.Labels[i].Name
	}
	return names
}

// Names says how many names a configuration has for labels.
type Names struct{ Providers, Models, Credentials, Budgets, Projects int }

// MostSeries is how many lines of the metric a gateway of such a configuration exports at most,
// whatever its clients say.
func (m *Metric) MostSeries(n Names) int {
	from := func(s Source) bool { return slices.ContainsFunc(m.Labels, func(l Label) bool { return l.From == s }) }
	most := 1
	switch {
	case from(FromModels):
		most = n.Models + n.Providers + 2 // each model is one provider's, and `other` any one's, or none's
	case from(FromCredentials):
		most = n.Credentials
	case from(FromProviders):
		most = n.Providers + 2
	case from(FromTenants):
		most = n.Projects + 2
	case from(FromBudgets):
		return n.Budgets // each has one span
	}
	for _, l := range m.Labels {
		if l.From == FromStatuses {
			most *= len(statuses())
		}
		if l.From == "" && l.Name != "quantile" {
			most *= len(l.Values)
		}
	}
	switch m.Kind {
	case Histogram:
		most *= len(m.Buckets) + 3 // +Inf, _sum, _count
	case Summary:
		most *= len(m.Labels[0].Values) + 2
	case Counter, Gauge:
	}
	return most
}
