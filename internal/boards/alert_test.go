package boards

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage/storagetest"
	"go.yaml.in/yaml/v3"
)

// promtool runs it on arguments, and gives what it said.
func promtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), storagetest.Tool(t, "promtool"), args...).CombinedOutput()
	return string(out), err
}

// Prometheus takes the configuration with the rules that it names.
func TestPrometheusConfig(t *testing.T) {
	if out, err := promtool(t, "check", "config", deploy+"/prometheus/prometheus.yml"); err != nil || strings.Count(out, "rules found") != 2 {
		t.Errorf("%s: %v", out, err)
	}
}

// A trial is one case of an alert: series, and what it says of them at a time.
type trial struct {
	fires, quiet []string // name{labels} values
	at           string
	every        string // a sample and an evaluation; "" is a minute
	says         []said // in the order of their labels
}

type said struct {
	labels      map[string]string
	summary     string
	description string // "" is the alert's own, where it names no value
}

// Prometheus' own form of a test.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
type ruleTest struct {
	RuleFiles []string   `yaml:"rule_files"`
	Interval  string     `yaml:"evaluation_interval"`
	Order     []string   `yaml:"group_eval_order"` // not said: any
	Tests     []ruleCase `yaml:"tests"`
}

type ruleCase struct {
	Interval string       `yaml:"interval"`
	Name     string       `yaml:"name"`
	Series   []ruleSeries `yaml:"input_series"`
	Alerts   []ruleAlert  `yaml:"alert_rule_test"`
}

type ruleSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type ruleAlert struct {
	At    string     `yaml:"eval_time"`
	Alert string     `yaml:"alertname"`
	Want  []ruleWant `yaml:"exp_alerts"`
}

type ruleWant struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

func (a *Alert) trial(every string, tr trial) []ruleCase {
	fires := ruleCase{Interval: every, Name: a.Name + " fires", Series: inputs(tr.fires), Alerts: []ruleAlert{{At: tr.at, Alert: a.Name}}}
	for _, s := range tr.says {
		labels := maps.Clone(s.labels)
		labels["severity"] = a.Severity
		notes := a.rule().Annotations
		notes["summary"] = s.summary
		if s.description != "" {
			notes["description"] = s.description
		}
		fires.Alerts[0].Want = append(fires.Alerts[0].Want, ruleWant{labels, notes})
	}
	quiet := ruleCase{Interval: every, Name: a.Name + " is quiet", Series: inputs(tr.quiet), Alerts: []ruleAlert{{At: tr.at, Alert: a.Name}}}
	return []ruleCase{fires, quiet}
}

func inputs(lines []string) []ruleSeries {
	var all []ruleSeries
	for _, line := range lines {
		end := strings.LastIndex(line, "}") + 1
		all = append(all, ruleSeries{line[:end], strings.TrimSpace(line[end:])})
	}
	return all
}

// Each alert fires where it should, says what it should, and is quiet else. Each is tried with no
// more rules than it needs, which takes seconds in place of a minute.
func TestAlerts(t *testing.T) {
	folder, all := t.TempDir(), trials()
	args := []string{"test", "rules"}
	for _, a := range Alerts() {
		tr, ok := all[a.Name]
		if delete(all, a.Name); !ok || len(tr.says) == 0 || len(tr.quiet) == 0 {
			t.Errorf("%s has no trial", a.Name)
			continue
		}
		args = append(args, a.write(t, folder, tr))
	}
	for name := range all {
		t.Errorf("a trial of %s, which is no alert", name)
	}
	if out, err := promtool(t, args...); err != nil || strings.Count(out, "SUCCESS") != len(args)-2 {
		t.Errorf("%v\n%s", err, out)
	}
}

// write writes the trial and the rules that it needs, and gives its path.
func (a *Alert) write(t *testing.T, folder string, tr trial) string {
	t.Helper()
	needs, order := []group{{name: "alert", alerts: []Alert{*a}}}, []string{"alert"}
	if slices.ContainsFunc(a.Query.names, func(name string) bool { return recorded[name] != nil }) {
		needs = append([]group{{name: "recordings", recordings: recordings()}}, needs...)
		order = []string{"recordings", "alert"}
	}
	text, err := rules(needs...)
	if err != nil {
		t.Fatal(err)
	}
	every := cmp.Or(tr.every, "1m")
	test, err := yaml.Marshal(ruleTest{RuleFiles: []string{a.Name + ".rules.yml"}, Interval: every, Order: order, Tests: a.trial(every, tr)})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, a.Name)
	for name, text := range map[string][]byte{path + ".rules.yml": text, path + ".yml": test} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path + ".yml"
}

// Each alert has its page, each page its alert, and all pages say the same things.
func TestRunbooks(t *testing.T) {
	commands, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile(`aistrale [a-z]+( [a-z]+)?`)
	pages := map[string]bool{}
	for _, a := range Alerts() {
		pages[a.Page()+".md"] = true
		text, err := os.ReadFile(filepath.Join("../../docs/runbooks", a.Page()+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{"# " + a.Name + "\n", "## What it means\n", "## How to see it\n", "## What to do\n"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s.md does not say %q", a.Page(), part)
			}
		}
		for _, said := range program.FindAllString(string(text), -1) {
			if !strings.Contains(string(commands), "| `"+said) {
				t.Errorf("%s.md says %s, which is not in docs/cli.md", a.Page(), said)
			}
		}
		if !slices.Contains([]string{critical, warning, info}, a.Severity) || a.Summary == "" || a.Description == "" {
			t.Errorf("%s says too little", a.Name)
		}
	}
	found, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		if name := filepath.Base(path); !pages[name] {
			t.Errorf("%s is of no alert", path)
		}
	}
}
