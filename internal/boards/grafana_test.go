package boards

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Grafana's own schemas, of the dashboard and of each kind of panel and query, take the files: no
// field is unknown, of another kind, or lacking. Each panel is read by itself, since the reader of
// a dashboard passes over what is wrong with one.
func TestBoards_schema(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for _, b := range Boards() {
		text, err := b.json()
		if err != nil {
			t.Fatal(err)
		}
		var all dashboard.Dashboard //nolint:staticcheck // the form that every Grafana in use reads from files
		takes(t, b.name, all.UnmarshalJSONStrict(text))
		var raw struct{ Panels []json.RawMessage }
		if err := json.Unmarshal(text, &raw); err != nil || len(raw.Panels) < 8 {
			t.Fatalf("%s has %d panels, %v", b.name, len(raw.Panels), err)
		}
		for _, one := range raw.Panels {
			var row dashboard.RowPanel
			var p dashboard.Panel
			if strings.Contains(string(one), `"type": "row"`) {
				takes(t, b.name, row.UnmarshalJSONStrict(one))
				continue
			}
			takes(t, b.name+": "+string(one), p.UnmarshalJSONStrict(one))
		}
	}
}

// takes fails where a reader of Grafana's found something wrong; one that found nothing gives an
// error without entries.
func takes(t *testing.T, what string, err error) {
	t.Helper()
	var wrong cog.BuildErrors
	if err != nil && (!errors.As(err, &wrong) || len(wrong) > 0) {
		t.Errorf("%s: %v", what, err)
	}
}

// The reader above does find what is wrong.
func TestBoards_schemaRefuses(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	one := `{"type":"timeseries","title":"x","targets":[{"refId":"A","expr":"up","datasource":{"type":"prometheus","uid":"x"}}],"fieldConfig":{"defaults":{"custom":{"lineWidth":1}},"overrides":[]},` +
		`"options":{"legend":{"displayMode":"list","placement":"bottom","showLegend":true,"calcs":[]},"tooltip":{"mode":"multi","sort":"desc"}}}`
	f := func(old, with string, want bool) {
		t.Helper()
		var p dashboard.Panel
		var wrong cog.BuildErrors
		err := p.UnmarshalJSONStrict([]byte(strings.Replace(one, old, with, 1)))
		if refused := err != nil && (!errors.As(err, &wrong) || len(wrong) > 0); refused != want {
			t.Errorf("%s for %s: %v", with, old, err)
		}
	}
	f("", "", false)
	f(`"title"`, `"titel"`, true)
	f(`"expr"`, `"query"`, true)
	f(`"lineWidth":1`, `"lineWeight":1`, true)
	f(`"lineWidth":1`, `"lineWidth":"1"`, true)
	f(`"placement":"bottom",`, ``, true)
}

// Panels lie on the grid without a gap in it, none over another.
func TestBoards_layout(t *testing.T) {
	for _, b := range Boards() {
		taken, ids := map[[2]int]string{}, map[int]bool{}
		for _, p := range b.panels() {
			if ids[p.ID] || p.Title == "" {
				t.Errorf("%s: a panel %q with the id %d", b.name, p.Title, p.ID)
			}
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if before := taken[[2]int{x, y}]; before != "" || x >= 24 {
						t.Fatalf("%s: %s lies over %s at %d, %d", b.name, p.Title, before, x, y)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

var variable = regexp.MustCompile(`\$\{?([a-z_]\w*)`)

// Every variable that a board uses it has.
func TestBoards_variables(t *testing.T) {
	for _, b := range Boards() {
		text, err := b.json()
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Templating struct {
				List []struct{ Name string }
			}
		}
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		has := map[string]bool{"__rate_interval": true, "__range": true, "__all": true}
		for _, v := range read.Templating.List {
			has[v.Name] = true
		}
		for _, found := range variable.FindAllSubmatch(text, -1) {
			if !has[string(found[1])] {
				t.Errorf("%s uses $%s, which it has not", b.name, found[1])
			}
		}
	}
}
