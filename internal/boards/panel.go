package boards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A panel is one picture of a board.
type panel struct {
	title, about  string
	kind          kind
	unit          string // as Grafana names it; "" is a plain number
	width, height int    // of 24 columns; 0 is the kind's own
	asks          []ask
	steps         []float64 // from these values on it is orange, then red
	states        []state   // what the values 0, 1, 2 mean
	most          float64   // the end of a bar's scale; 0 is the largest value's
	logs          string    // of a panel of logs: its query to Loki
}

// An ask is a query of a panel and what its series are called: in a legend {{label}} stands for
// a label's value. In a table it is a column of that name and unit.
type ask struct {
	query     Query
	legend    string
	unit      string
	exemplars bool // single requests are shown as points, which lead to their traces
}

// A state is what a value means.
type state struct{ text, colour string }

type kind int

const (
	figure   kind = iota // one number, with its course behind it
	lines                // lines over time
	stacked              // areas over time, one on the other
	bars                 // a bar for each series, as it is now
	table                // a column for each ask, a line for each set of labels
	timeline             // states over time
	logs                 // lines of the log
)

// look is how Grafana shows a kind.
var look = map[kind]struct {
	name          string
	width, height int
	options       any
	custom        any
}{
	figure:  {"stat", 4, 4, statOptions, nil},
	lines:   {"timeseries", 12, 8, graphOptions, graph{LineWidth: 1, FillOpacity: 5, ShowPoints: "never"}},
	stacked: {"timeseries", 12, 8, graphOptions, graph{LineWidth: 1, FillOpacity: 40, ShowPoints: "never", Stacking: &stacking{"normal", "A"}}},
	bars:    {"bargauge", 12, 8, barOptions, nil},
	table:   {"table", 24, 8, map[string]any{"showHeader": true, "frameIndex": 0, "cellHeight": "sm"}, map[string]any{"align": "auto", "inspect": false, "filterable": true}},
	timeline: {"state-timeline", 12, 8, map[string]any{
		"showValue": "never", "rowHeight": 0.9, "mergeValues": true, "legend": legend{DisplayMode: "list", Placement: "bottom", ShowLegend: false, Calcs: []string{}},
		"tooltip": map[string]any{"mode": "single", "sort": "none"},
	}, map[string]any{"fillOpacity": 80, "lineWidth": 0}},
	logs: {"logs", 24, 10, map[string]any{
		"showTime": true, "showLabels": false, "showCommonLabels": false, "showLogContextToggle": true, "wrapLogMessage": true, "prettifyLogMessage": false,
		"enableLogDetails": true, "sortOrder": "Descending", "dedupStrategy": "none",
	}, nil},
}

type graph struct {
	LineWidth   int       `json:"lineWidth"`
	FillOpacity int       `json:"fillOpacity"`
	ShowPoints  string    `json:"showPoints"`
	Stacking    *stacking `json:"stacking,omitempty"`
}

type stacking struct {
	Mode  string `json:"mode"`
	Group string `json:"group"`
}

type legend struct {
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	ShowLegend  bool     `json:"showLegend"`
	Calcs       []string `json:"calcs"`
}

var (
	last        = map[string]any{"values": false, "calcs": []string{"lastNotNull"}, "fields": ""}
	statOptions = map[string]any{
		"graphMode": "area", "colorMode": "value", "justifyMode": "auto", "textMode": "auto", "wideLayout": true, "showPercentChange": false,
		"percentChangeColorMode": "standard", "orientation": "auto", "reduceOptions": last,
	}
	graphOptions = map[string]any{
		"legend":  legend{DisplayMode: "table", Placement: "bottom", ShowLegend: true, Calcs: []string{"lastNotNull", "max"}},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}
	barOptions = map[string]any{
		"displayMode": "gradient", "valueMode": "color", "namePlacement": "auto", "showUnfilled": true, "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300,
		"orientation": "horizontal", "reduceOptions": last, "legend": legend{DisplayMode: "list", Placement: "bottom", ShowLegend: false, Calcs: []string{}},
	}
)

// The data sources that a board asks, which a reader may change.
var (
	metricsSource = &grafanaSource{"prometheus", "${metrics}"}
	logsSource    = &grafanaSource{"loki", "${logs}"}
)

// grafana gives the panel in Grafana's form, but for its place.
func (p *panel) grafana(id int) *grafanaPanel {
	l := look[p.kind]
	out := &grafanaPanel{
		ID: id, Type: l.name, Title: p.title, Description: p.about, Datasource: metricsSource, Options: l.options,
		GridPos:     grafanaPlace{W: l.width, H: l.height},
		FieldConfig: &grafanaFields{Defaults: p.field(), Overrides: []grafanaOverride{}},
	}
	out.FieldConfig.Defaults.Custom = l.custom
	if p.width > 0 {
		out.GridPos.W = p.width
	}
	if p.height > 0 {
		out.GridPos.H = p.height
	}
	switch p.kind {
	case logs:
		out.Datasource = logsSource
		out.Targets = []grafanaTarget{{RefID: "A", Datasource: logsSource, Expr: p.logs, QueryType: "range", MaxLines: 200}}
	case table:
		p.columns(out)
	default:
		for i, a := range p.asks {
			a.check(p.title)
			// What is of the whole time shown is one number, not one for each point of it.
			once := p.kind == bars || strings.Contains(a.query.text, all)
			out.Targets = append(out.Targets, grafanaTarget{
				RefID: ref(i), Datasource: metricsSource, Expr: a.query.text, LegendFormat: a.legend, Exemplar: a.exemplars,
				Instant: once, Range: !once,
			})
		}
	}
	return out
}

func ref(i int) string { return string(rune('A' + i)) }

func (p *panel) field() grafanaField {
	f := grafanaField{Unit: p.unit, Color: &grafanaColor{"palette-classic"}}
	if p.kind == logs {
		return grafanaField{}
	}
	if p.kind == figure || p.kind == bars || p.kind == timeline {
		f.Color.Mode = "thresholds"
	}
	if p.unit == "percentunit" || p.unit == "currencyUSD" {
		f.Min = new(0.0)
	}
	if p.most > 0 {
		f.Min, f.Max = new(0.0), new(p.most)
	}
	colours := []string{"green", "orange", "red"}
	f.Thresholds = &grafanaThresholds{"absolute", []grafanaStep{{Color: colours[0]}}}
	for i, from := range p.steps {
		f.Thresholds.Steps = append(f.Thresholds.Steps, grafanaStep{colours[i+1], new(from)})
	}
	if len(p.states) > 0 {
		m := grafanaMapping{"value", map[string]grafanaName{}}
		for i, s := range p.states {
			m.Options[fmt.Sprint(i)] = grafanaName{s.text, s.colour, i}
		}
		f.Mappings = []grafanaMapping{m}
	}
	return f
}

// columns makes a table: what the asks give for the same labels stands in one line.
func (p *panel) columns(out *grafanaPanel) {
	labels := p.asks[0].query.labels
	named, order := map[string]string{}, map[string]int{}
	for i, label := range labels {
		order[label] = i
	}
	for i, a := range p.asks {
		if !slices.Equal(a.query.labels, labels) {
			panic(fmt.Sprintf("boards: %s: %s has not the labels of the first column", p.title, a.query.text))
		}
		out.Targets = append(out.Targets, grafanaTarget{RefID: ref(i), Datasource: metricsSource, Expr: a.query.text, Format: "table", Instant: true})
		column := "Value #" + ref(i)
		if len(p.asks) == 1 {
			column = "Value"
		}
		named[column], order[column] = a.legend, len(labels)+i
		if a.unit != "" {
			out.FieldConfig.Overrides = append(out.FieldConfig.Overrides, grafanaOverride{
				grafanaMatcher{"byName", a.legend}, []grafanaProperty{{"unit", a.unit}},
			})
		}
	}
	out.Transformations = []grafanaChange{
		{"merge", map[string]any{}},
		{"organize", map[string]any{"excludeByName": map[string]bool{"Time": true}, "renameByName": named, "indexByName": order}},
	}
}

var legendLabel = regexp.MustCompile(`{{\s*(\w+)\s*}}`)

// check panics where a legend names a label that the query does not give.
func (a *ask) check(title string) {
	for _, found := range legendLabel.FindAllStringSubmatch(a.legend, -1) {
		if !slices.Contains(a.query.labels, found[1]) {
			panic(fmt.Sprintf("boards: %s: the legend names %s, and the query gives %s", title, found[1], strings.Join(a.query.labels, ", ")))
		}
	}
}
