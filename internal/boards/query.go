package boards

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aistrale/aistrale/internal/telemetry"
)

// Query is an expression in PromQL. It is made of the pieces below only, and each looks up what
// it names: a metric or a label that nobody exports is a defect, and panics.
type Query struct {
	text   string
	labels []string // of the series that it gives
	names  []string // of the series that it asks for
	loose  bool     // it wants brackets where it is part of another
}

// String gives the expression as Prometheus takes it.
func (q Query) String() string { return q.text }

// Names are the series that it asks for.
func (q Query) Names() []string { return q.names }

// A match narrows a query by one label.
type match struct{ label, op, value string }

func is(label, value string) match    { return match{label, "=", value} }
func isNot(label, value string) match { return match{label, "!=", value} }
func like(label, value string) match  { return match{label, "=~", value} }

// metric asks for the series of a metric, or of a part of a histogram (_bucket, _sum, _count).
func metric(name string, matches ...match) Query {
	q := Query{text: name, labels: labelsOf(name), names: []string{name}}
	texts := make([]string, len(matches))
	for i, m := range matches {
		q.must(m.label)
		texts[i] = m.label + m.op + strconv.Quote(m.value)
	}
	if len(texts) > 0 {
		q.text += "{" + strings.Join(texts, ", ") + "}"
	}
	return q
}

// variables are what a board lets one choose, by the labels that they narrow.
var variables = map[string]string{
	"job": "job", "instance": "instance",
	"provider": "provider", "gen_ai_provider_name": "provider",
	"model": "model", "gen_ai_request_model": "model",
}

// shown is metric, narrowed by the variables of the board that shows it.
func shown(name string, matches ...match) Query {
	for _, label := range labelsOf(name) {
		chosen := slices.ContainsFunc(matches, func(m match) bool { return m.label == label })
		if variable := variables[label]; variable != "" && !chosen {
			matches = append(matches, like(label, "$"+variable))
		}
	}
	return metric(name, matches...)
}

// scraped are the labels that Prometheus gives each series.
func scraped(more ...string) []string { return append(more, "job", "instance") }

// labelsOf gives the labels of the series of a name.
func labelsOf(name string) []string {
	switch name {
	case "up":
		return scraped()
	case "ALERTS": // Prometheus' own, of all alerts that wait or fire
		return []string{"alertname", "alertstate", "severity"}
	}
	if labels, ok := recorded[name]; ok {
		return labels
	}
	for _, m := range telemetry.Metrics() {
		part, ours := strings.CutPrefix(name, m.Name)
		if !ours || !slices.Contains(parts[m.Kind], part) {
			continue
		}
		var labels []string
		for _, l := range m.Labels {
			labels = append(labels, l.Name)
		}
		if part == "_bucket" {
			labels = append(labels, "le")
		}
		return scraped(labels...)
	}
	panic("boards: nobody exports " + name)
}

// parts are the endings of a metric's series. A histogram is asked for by its buckets, which
// Prometheus has of it unless it is told to keep native histograms alone.
var parts = map[telemetry.Kind][]string{
	telemetry.Counter:   {""},
	telemetry.Gauge:     {""},
	telemetry.Histogram: {"_bucket", "_sum", "_count"},
	telemetry.Summary:   {"", "_sum", "_count"},
}

func (q Query) must(labels ...string) {
	for _, label := range labels {
		if !slices.Contains(q.labels, label) {
			panic(fmt.Sprintf("boards: %s has no label %s", q.text, label))
		}
	}
}

// call is a function of a query, which has the same labels.
func call(name string, q Query, more string) Query {
	q.text, q.loose = name+"("+q.text+more+")", false
	return q
}

func rate(q Query, window string) Query      { return call("rate", q, "["+window+"]") }
func increase(q Query, window string) Query  { return call("increase", q, "["+window+"]") }
func changes(q Query, window string) Query   { return call("changes", q, "["+window+"]") }
func leastOf(q Query, window string) Query   { return call("min_over_time", q, "["+window+"]") }
func averageOf(q Query, window string) Query { return call("avg_over_time", q, "["+window+"]") }
func averageBefore(q Query, window, offset string) Query {
	return call("avg_over_time", q, "["+window+"] offset "+offset)
}
func absent(q Query) Query              { return call("absent", q, "") }
func ago(q Query, offset string) Query  { q.text += " offset " + offset; return q }
func sum(q Query, by ...string) Query   { return aggregate("sum", q, by) }
func most(q Query, by ...string) Query  { return aggregate("max", q, by) }
func least(q Query, by ...string) Query { return aggregate("min", q, by) }
func count(q Query, by ...string) Query { return aggregate("count", q, by) }
func aggregate(how string, q Query, by []string) Query {
	q.must(by...)
	if len(by) > 0 {
		how += " by (" + strings.Join(by, ", ") + ") "
	}
	q.text, q.labels, q.loose = how+"("+q.text+")", by, false
	return q
}

// without says of a label that all series have in common that it is no matter, so that they can be
// joined with series that have it not.
func (q Query) without(label string) Query {
	q.must(label)
	q.labels = slices.DeleteFunc(slices.Clone(q.labels), func(l string) bool { return l == label })
	q.text, q.loose = "sum without ("+label+") ("+q.text+")", false
	return q
}

// topTen gives the ten largest.
func topTen(q Query) Query {
	return call("topk", Query{text: "10, " + q.text, labels: q.labels, names: q.names}, "")
}

// quantile gives a share's bound of a histogram, such as 0.95, over a window. The buckets are
// rated and summed here: of single counters a quantile means nothing.
func quantile(share float64, buckets Query, window string, by ...string) Query {
	q := sum(rate(buckets, window), append([]string{"le"}, by...)...)
	q.text = fmt.Sprintf("histogram_quantile(%s, %s)", number(share), q.text)
	q.labels = by
	return q
}

// mean gives the mean of what a histogram counts, over a window.
func mean(histogram, window string, by ...string) Query {
	return over(sum(rate(shown(histogram+"_sum"), window), by...), sum(rate(shown(histogram+"_count"), window), by...))
}

// renamed gives a label another name.
func renamed(q Query, from, to string) Query {
	q.must(from)
	q.text, q.loose = fmt.Sprintf("label_replace(%s, %q, \"$1\", %q, \"(.*)\")", q.text, to, from), false
	q.labels = append(slices.Clone(q.labels), to)
	return q
}

// join puts an operator between two queries, and gives the labels of the first.
func join(a Query, op string, b Query) Query {
	a.text, a.names, a.loose = a.part()+" "+op+" "+b.part(), slices.Concat(a.names, b.names), true
	return a
}

// part is the text of a query that becomes a part of another.
func (q Query) part() string {
	if q.loose {
		return "(" + q.text + ")"
	}
	return q.text
}

func both(a, b Query) Query   { return join(a, "and", b) }
func either(a, b Query) Query { return join(a, "or", b) }
func unless(a, b Query) Query { return join(a, "unless", b) }

// over divides. Where the divisor is 0 there is nothing to tell, rather than NaN.
func over(a, b Query) Query { return join(a, "/", above(b, 0)) }

func value(n float64) Query            { return Query{text: number(n)} }
func times(q Query, n float64) Query   { return join(q, "*", value(n)) }
func above(q Query, n float64) Query   { return join(q, ">", value(n)) }
func below(q Query, n float64) Query   { return join(q, "<", value(n)) }
func atLeast(q Query, n float64) Query { return join(q, ">=", value(n)) }
func equals(q Query, n float64) Query  { return join(q, "==", value(n)) }
func number(n float64) string          { return strconv.FormatFloat(math.Round(n*1e9)/1e9, 'f', -1, 64) }

// left is how long it is until a time, in seconds.
func left(q Query) Query { return join(q, "-", Query{text: "time()"}) }

// orZero gives 0 where there is nothing, for sums over everything.
func orZero(q Query) Query { return join(q, "or", Query{text: "vector(0)"}) }

// grew tells counters that should stand still and did not: those that rose in the window, and
// those of a process that was not there before and is not at 0.
func grew(q Query, window string) Query {
	return either(above(increase(q, window), 0), unless(above(q, 0), ago(q, window)))
}
