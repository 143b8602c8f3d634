package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aistrale/aistrale/providers"
	"github.com/aistrale/aistrale/providers/catalog"
)

// list is a copy of models.dev's data, as far as it is read.
type list struct {
	Source  string  `json:"source"`
	Commit  string  `json:"commit"`
	Date    string  `json:"date"`
	Licence string  `json:"licence"`
	Models  []entry `json:"models"`
}

type entry struct {
	Provider         string   `json:"provider"`
	Model            string   `json:"model"`
	Status           string   `json:"status"`
	Released         string   `json:"release_date"`
	Reasoning        bool     `json:"reasoning"`
	Temperature      bool     `json:"temperature"`
	StructuredOutput *bool    `json:"structured_output"`
	Options          []option `json:"reasoning_options"`
	Limit            struct {
		Context int64 `json:"context"`
		Output  int64 `json:"output"`
	} `json:"limit"`
	Modalities struct {
		Input  []string `json:"input"`
		Output []string `json:"output"`
	} `json:"modalities"`
}

type option struct {
	Type   string   `json:"type"` // effort, budget_tokens, toggle
	Values []string `json:"values"`
	Min    int64    `json:"min"`
	Max    int64    `json:"max"`
}

// overlay corrects and completes what models.dev says.
type overlay struct {
	Sources []catalog.Source `json:"sources"`
	Rules   []rule           `json:"rules"`
	Models  []catalog.Model  `json:"models"`
}

// rule sets capabilities of the models whose id is, or begins with, a name that it matches.
type rule struct {
	Why      string         `json:"why"`
	Provider string         `json:"provider"`
	Match    []string       `json:"match"`
	Can      jsontext.Value `json:"can"`
}

// build gives the text of models.json: sorted, one model a line, so that a refresh is a
// readable diff.
func build(facts, correction []byte) ([]byte, error) {
	var from list
	if err := json.Unmarshal(facts, &from); err != nil {
		return nil, fmt.Errorf("models.dev's data: %w", err)
	}
	var over overlay
	if err := json.Unmarshal(correction, &over, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("overlay.json: %w", err)
	}
	file := catalog.ModelFile{Sources: []catalog.Source{{
		Name: "models.dev", From: from.Source, Commit: from.Commit, Date: from.Date, Licence: from.Licence,
	}}}
	file.Sources = append(file.Sources, over.Sources...)
	for _, e := range from.Models {
		if slices.Contains(catalog.First(), e.Provider) && e.served() {
			file.Models = append(file.Models, e.model(from.Date))
		}
	}
	file.Models = append(file.Models, over.Models...)
	if err := correct(file.Models, over.Rules); err != nil {
		return nil, err
	}
	slices.SortFunc(file.Models, func(a, b catalog.Model) int {
		return strings.Compare(a.Provider+"/"+a.ID, b.Provider+"/"+b.ID)
	})
	return render(file)
}

// served reports whether an operation of the gateway can reach the model: it reads and writes
// text. Embeddings count as text there.
func (e entry) served() bool {
	in, out := e.Modalities.Input, e.Modalities.Output
	if e.Provider == "openai" && strings.Contains(e.Model, "image") {
		return false // served at /images alone, whatever its modalities
	}
	return slices.Contains(in, "text") && (len(out) == 0 || slices.Contains(out, "text"))
}

func (e entry) model(date string) catalog.Model {
	return catalog.Model{
		Provider: e.Provider, ID: e.Model, Released: e.Released, Deprecated: e.Status == "deprecated",
		Input: e.Modalities.Input, Output: e.Modalities.Output, Can: e.can(),
		Source: "models.dev", Checked: date,
	}
}

func (e entry) can() providers.Capabilities {
	can := providers.Capabilities{
		Context: e.Limit.Context, MaxOutput: e.Limit.Output,
		NoSampling: e.Reasoning && !e.Temperature, NoThinking: !e.Reasoning,
		NoStructuredOutput: e.StructuredOutput != nil && !*e.StructuredOutput,
		NoImages:           !slices.Contains(e.Modalities.Input, "image"),
		NoPDF:              !slices.Contains(e.Modalities.Input, "pdf"),
	}
	off := false // whether thinking can be switched off
	for _, o := range e.Options {
		switch o.Type {
		case "effort":
			can.Efforts = byStrength(o.Values)
			off = off || slices.Contains(o.Values, "none")
		case "budget_tokens":
			can.BudgetMin, can.BudgetMax = o.Min, o.Max
			if o.Max == 0 {
				can.BudgetMax = e.Limit.Output
			}
			off = true
		case "toggle":
			off = true
		}
	}
	// Anthropic's models think only when asked to.
	can.ThinkingAlways = e.Provider != "anthropic" && len(can.Efforts) > 0 && !off
	return can
}

// byStrength sorts efforts, lowest first; a word that is not known keeps its place in the
// middle.
func byStrength(efforts []string) []string {
	order := []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}
	strength := func(effort string) int {
		if i := slices.Index(order, effort); i >= 0 {
			return i
		}
		return slices.Index(order, "medium")
	}
	sorted := slices.Clone(efforts)
	slices.SortStableFunc(sorted, func(a, b string) int { return strength(a) - strength(b) })
	return sorted
}

func correct(models []catalog.Model, rules []rule) error {
	for _, r := range rules {
		for _, name := range r.Match {
			hit := false
			for i := range models {
				m := &models[i]
				if m.Provider != r.Provider || m.ID != name && !strings.HasPrefix(m.ID, name+"-") {
					continue
				}
				hit = true
				if err := json.Unmarshal(r.Can, &m.Can, json.RejectUnknownMembers(true)); err != nil {
					return fmt.Errorf("overlay.json: rule %q: %w", r.Why, err)
				}
			}
			if !hit {
				return fmt.Errorf("overlay.json: rule %q: no model of %s is named %s", r.Why, r.Provider, name)
			}
		}
	}
	return nil
}

func render(file catalog.ModelFile) ([]byte, error) {
	out := []byte("{\n  \"sources\": [")
	var err error
	for i := range file.Sources {
		if out, err = line(out, i, file.Sources[i]); err != nil {
			return nil, err
		}
	}
	out = append(out, "\n  ],\n  \"models\": ["...)
	for i := range file.Models {
		if out, err = line(out, i, file.Models[i]); err != nil {
			return nil, err
		}
	}
	return append(out, "\n  ]\n}\n"...), nil
}

func line(out []byte, i int, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("models.json: %w", err)
	}
	if i > 0 {
		out = append(out, ',')
	}
	return append(append(out, "\n    "...), text...), nil
}
