package boards

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// ruleFile is a file of Prometheus' rules.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
type ruleFile struct {
	Groups []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	Name  string `yaml:"name"`
	Rules []rule `yaml:"rules"`
}

type rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

const made = "# Made by internal/boards: change it there, then make dashboards.\n"

// rules gives the text of a file of groups.
func rules(of ...group) ([]byte, error) {
	var file ruleFile
	for _, g := range of {
		out := ruleGroup{Name: g.name}
		for _, r := range g.recordings {
			out.Rules = append(out.Rules, rule{Record: r.name, Expr: r.query.text})
		}
		for i := range g.alerts {
			out.Rules = append(out.Rules, g.alerts[i].rule())
		}
		file.Groups = append(file.Groups, out)
	}
	var text bytes.Buffer
	text.WriteString(made)
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := encoder.Encode(file)
	return text.Bytes(), err
}

func (a *Alert) rule() rule {
	return rule{
		Alert: a.Name, Expr: a.Query.text, For: a.For,
		Labels: map[string]string{"severity": a.Severity},
		Annotations: map[string]string{
			"summary": a.Summary, "description": a.Description, "runbook_url": runbooks + a.Page() + ".md",
		},
	}
}
