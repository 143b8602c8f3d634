package boards

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// A Board is a dashboard.
type Board struct {
	name         string // of its file
	title, about string
	rows         []row
}

// A row is a heading and the panels below it.
type row struct {
	title  string
	panels []panel
}

// Boards gives all dashboards.
func Boards() []Board {
	return []Board{overviewBoard(), costBoard(), providersBoard(), limitsBoard(), healthBoard()}
}

// Shown is a query that a board shows.
type Shown struct {
	Board, Panel string
	Query        Query
}

// Queries gives all queries of all boards, those of their variables and annotations among them.
func Queries() []Shown {
	var all []Shown
	for _, b := range Boards() {
		for _, r := range b.rows {
			for _, p := range r.panels {
				for _, a := range p.asks {
					all = append(all, Shown{b.title, p.title, a.query})
				}
			}
		}
	}
	for _, c := range choices {
		all = append(all, Shown{"all", "variable " + c.name, c.query()})
	}
	for _, m := range marks() {
		all = append(all, Shown{"all", "annotation " + m.name, m.query})
	}
	return all
}

const tag = "aistrale"

func (b *Board) json() ([]byte, error) {
	out := grafanaBoard{
		UID: "aistrale-" + b.name, Title: "AISTRALE / " + b.title, Description: b.about, Tags: []string{tag}, Timezone: "browser", Editable: true,
		GraphTooltip: 1, Time: grafanaTime{"now-1h", "now"}, Refresh: "30s", SchemaVersion: 41,
		Links: []grafanaLink{{
			Title: "AISTRALE", Type: "dashboards", Icon: "external link", Tags: []string{tag}, AsDropdown: true, IncludeVars: true, KeepTime: true,
		}},
		Panels: b.panels(),
	}
	out.Templating.List = b.variables(out.Panels)
	out.Annotations.List = annotations()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(out)
	return text.Bytes(), err
}

// panels lays the panels out, from left to right and from above.
func (b *Board) panels() []*grafanaPanel {
	var all []*grafanaPanel
	y := 0
	for _, r := range b.rows {
		all = append(all, &grafanaPanel{
			ID: len(all) + 1, Type: "row", Title: r.title, GridPos: grafanaPlace{H: 1, W: 24, Y: y}, Collapsed: new(false), Panels: new([]*grafanaPanel{}),
		})
		y++
		x, high := 0, 0
		for i := range r.panels {
			p := r.panels[i].grafana(len(all) + 1)
			if x+p.GridPos.W > 24 {
				x, y, high = 0, y+high, 0
			}
			p.GridPos.X, p.GridPos.Y = x, y
			x, high = x+p.GridPos.W, max(high, p.GridPos.H)
			all = append(all, p)
		}
		y += high
	}
	return all
}

// A choice is a variable that a reader narrows a board by.
type choice struct {
	name, label string
	query       func() Query // the series that have its values
	of          string       // their label
	all         string       // what stands for all of them; "" is all that there are
}

var choices = []choice{
	{"job", "Job", func() Query { return metric("aistrale_build_info") }, "job", ""},
	{"instance", "Gateway", func() Query { return metric("aistrale_build_info", like("job", "$job")) }, "instance", ""},
	{"provider", "Provider", func() Query { return metric("aistrale_requests_total", like("job", "$job")) }, "provider", ".*"},
	{"model", "Model", func() Query {
		return metric("aistrale_requests_total", like("job", "$job"), like("provider", "$provider"))
	}, "model", ".*"},
}

// variables are those that the panels use, and those which these are made of.
func (b *Board) variables(panels []*grafanaPanel) []any {
	used := func(name string) bool {
		return slices.ContainsFunc(panels, func(p *grafanaPanel) bool {
			return slices.ContainsFunc(p.Targets, func(t grafanaTarget) bool { return strings.Contains(t.Expr, "$"+name) })
		})
	}
	all := []any{
		source("metrics", "Metrics", "prometheus", "Prometheus"),
		source("logs", "Logs", "loki", "Loki"),
	}
	for _, c := range choices {
		q := c.query()
		q.must(c.of)
		// The annotations name those that have no word for all.
		if c.all != "" && !used(c.name) {
			continue
		}
		text := "label_values(" + q.text + ", " + c.of + ")"
		all = append(all, grafanaVariable{
			Type: "query", Name: c.name, Label: c.label, Query: text, Definition: text, Datasource: metricsSource, Refresh: 2, Sort: 1,
			Multi: true, IncludeAll: true, AllValue: c.all, Current: &grafanaChoice{true, []string{"All"}, []string{"$__all"}},
		})
	}
	return all
}

func source(name, label, kind, title string) grafanaVariable {
	return grafanaVariable{Type: "datasource", Name: name, Label: label, Query: kind, Current: &grafanaChoice{true, title, kind}}
}

// A mark is something that happened, drawn as a line through all panels.
type mark struct {
	name, colour, title string
	query               Query
}

// marks have the time that they happened at as their values.
func marks() []mark {
	return []mark{
		{"Starts", "blue", "{{instance}} began", times(shown("process_start_time_seconds"), 1000)},
		{"Configuration", "purple", "{{instance}} took a configuration", times(shown("aistrale_config_last_reload_success_timestamp_seconds"), 1000)},
	}
}

func annotations() []any {
	var all []any
	for _, m := range marks() {
		a := ask{query: m.query, legend: m.title}
		a.check(m.name)
		all = append(all, grafanaAnnotation{
			Name: m.name, Datasource: metricsSource, Enable: true, IconColor: m.colour, Expr: m.query.text, TitleFormat: m.title, TextFormat: m.name,
			Step: "60s", UseValueForTime: true,
		})
	}
	return all
}
