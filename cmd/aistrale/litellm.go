package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// litellm is a LiteLLM proxy's configuration on its way into one of ours. Its format:
// https://docs.litellm.ai/docs/proxy/config_settings
type litellm struct {
	file    string
	secrets bool // write those that stand in clear
	root    *yaml.Node
	used    map[*yaml.Node]bool // what was taken over, or told of
	made    importedConfig
	groups  []*litellmGroup
	left    []leftover
	todo    []string // commands that finish the work
}

// leftover is what was not taken over.
type leftover struct {
	file      string
	line      int
	path, why string
}

// litellmGroup is a public name with the deployments behind it.
type litellmGroup struct {
	name        string
	deployments []litellmDeployment
	fallbacks   []string // names of groups
	at          int      // line
}

type litellmDeployment struct {
	target   string // provider/model of ours
	weight   string
	defaults map[string]any
	total    string // timeout
}

// importedConfig is what is written, in the words and the order of config.example.yaml.
type importedConfig struct {
	Timeouts  map[string]plainScalar   `yaml:"timeouts,omitempty"`
	Providers []importedProvider       `yaml:"providers"`
	Retry     map[string]plainScalar   `yaml:"retry,omitempty"`
	Breaker   map[string]plainScalar   `yaml:"breaker,omitempty"`
	Aliases   map[string]importedAlias `yaml:"aliases,omitempty"`
	Limits    []map[string]any         `yaml:"limits,omitempty"`
	Budgets   []map[string]any         `yaml:"budgets,omitempty"`
	Prices    []map[string]plainScalar `yaml:"prices,omitempty"`
}

type importedProvider struct {
	Name        string            `yaml:"name"`
	Kind        string            `yaml:"kind,omitempty"`
	Dialect     string            `yaml:"dialect,omitempty"`
	BaseURL     string            `yaml:"base_url,omitempty"`
	Project     string            `yaml:"project,omitempty"`
	Location    string            `yaml:"location,omitempty"`
	APIVersion  string            `yaml:"api_version,omitempty"`
	APIKey      string            `yaml:"api_key,omitempty"`
	Deployments map[string]string `yaml:"deployments,omitempty"`

	secret string // in clear, of which api_key is the variable
}

type importedAlias struct {
	Targets  []importedTarget  `yaml:"targets"`
	Timeouts map[string]string `yaml:"timeouts,omitempty"`
	Defaults map[string]any    `yaml:"defaults,omitempty"`
}

type importedTarget struct {
	Target string `yaml:"target"`
	Weight int    `yaml:"weight,omitempty"`
}

// plainScalar is written as it is: a number stays one, and exact.
type plainScalar string

// MarshalYAML implements yaml.Marshaler.
func (p plainScalar) MarshalYAML() (any, error) { //nolint:unparam // as yaml wants it
	return &yaml.Node{Kind: yaml.ScalarNode, Value: string(p)}, nil
}

// readLiteLLM reads a configuration.
func readLiteLLM(file string, text []byte, secrets bool) (*litellm, error) {
	root, err := parseYAML(bytes.NewReader(text), file)
	if err != nil {
		return nil, err
	}
	l := &litellm{file: file, secrets: secrets, root: root, used: map[*yaml.Node]bool{}}
	l.made.Timeouts, l.made.Retry, l.made.Breaker = map[string]plainScalar{}, map[string]plainScalar{}, map[string]plainScalar{}
	l.made.Aliases = map[string]importedAlias{}
	if root == nil || root.Kind != yaml.MappingNode || l.look(root, "model_list") == nil {
		return nil, fmt.Errorf("%s: it has no model_list, so it is no LiteLLM proxy's configuration", file)
	}
	for _, one := range items(l.look(root, "model_list")) {
		l.deployment(one)
	}
	l.routing()
	l.totals()
	return l, nil
}

// look finds a member of a mapping; nil where there is none.
func (l *litellm) look(m *yaml.Node, path ...string) *yaml.Node {
	for _, name := range path {
		m = anchored(m)
		var found *yaml.Node
		if m != nil && m.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(m.Content); i += 2 {
				if m.Content[i].Value == name {
					found = m.Content[i+1]
				}
			}
		}
		m = anchored(found)
	}
	return m
}

// anchored gives what stands where a node is the name of another one.
func anchored(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// take gives a scalar's text, which counts as taken over then.
func (l *litellm) take(m *yaml.Node, path ...string) string {
	n := l.look(m, path...)
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	l.used[n] = true
	return n.Value
}

// items are the elements of a list, or nothing.
func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// leave lists what was not taken over.
func (l *litellm) leave(n *yaml.Node, path, why string) {
	l.used[n] = true
	l.left = append(l.left, leftover{l.file, n.Line, path, why})
}

// remaining goes through all that nothing has asked for.
func (l *litellm) remaining(n *yaml.Node, path string) {
	switch {
	case l.used[n], n.Kind == yaml.AliasNode: // what it names is gone through where it stands
	case n.Kind == yaml.MappingNode && len(n.Content) > 0 && !whole(path):
		for i := 0; i+1 < len(n.Content); i += 2 {
			l.remaining(n.Content[i+1], member(path, n.Content[i].Value))
		}
	case n.Kind == yaml.SequenceNode && path == "model_list":
		for i, one := range n.Content {
			l.remaining(one, element(path, i))
		}
	default:
		l.leave(n, path, reasonFor(path))
	}
}

// whole reports whether a setting is told of in one line, whatever is in it.
func whole(path string) bool {
	_, known := litellmReasons[lastOf(path)]
	return known
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// litellmReasons say why a setting of LiteLLM's is not taken over, and what there is in its place.
var litellmReasons = map[string]string{
	"master_key":            "no key may do everything here: aistrale user create NAME --role admin",
	"salt_key":              "secrets are sealed with AISTRALE_MASTER_KEY, which is another one",
	"database_url":          "its database is not read; storage.postgres names one for AISTRALE",
	"environment_variables": "set them in the environment of the gateway",
	"rpm":                   "limits are the callers', not a deployment's: see limits in config.example.yaml; a provider's 429 leads to the next target",
	"tpm":                   "as rpm",
	"max_parallel_requests": "as rpm; concurrent of a limit bounds a caller's calls",
	"routing_strategy":      "targets with weights are shared out by them; strategy of an alias knows ordered, weighted, least-latency and cheapest",
	"drop_params":           "always so: what a provider cannot be told is named in x-aistrale-dropped",
	"modify_params":         "always so, where the other language needs it",
	"cache":                 "cache of a key or an alias says how long answers are kept",
	"cache_params":          "as cache",
	"success_callback":      "there are metrics, a ledger and webhooks in place of callbacks",
	"failure_callback":      "as success_callback",
	"callbacks":             "as success_callback",
	"service_callback":      "as success_callback",
	"alerting":              "webhooks tell of budgets, circuits and credentials: aistrale webhook create",
	"set_verbose":           "log_level says how much is logged",
	"json_logs":             "always so",
	"guardrails":            "there are none yet",
	"redis_host":            "storage.redis is one URL for limits and budgets of many gateways",
	"redis_port":            "as redis_host",
	"redis_password":        "as redis_host",
	"redis_url":             "storage.redis",
	"mode":                  "a call says itself what it is",
	"include":               "the files that it names are not read; import each of them",
	"store_model_in_db":     "models stand in the configuration alone",
	"tags":                  "tags of deployments lead no calls; tags of keys go into their records",
}

func reasonFor(path string) string {
	return cmp.Or(litellmReasons[lastOf(path)], "there is nothing like it")
}

var notEnv = regexp.MustCompile(`[^A-Z0-9]+`)

// variable names an environment variable.
func variable(words ...string) string {
	return strings.Trim(notEnv.ReplaceAllString(strings.ToUpper(strings.Join(words, "_")), "_"), "_")
}

// value gives a setting as our configuration says it: os.environ/NAME is ${NAME}.
func (l *litellm) value(m *yaml.Node, name string) string {
	text := l.take(m, name)
	if env, ok := strings.CutPrefix(text, "os.environ/"); ok {
		return "${" + env + "}"
	}
	return text
}

// config gives the text of the configuration.
func (l *litellm) config() ([]byte, error) {
	l.aliases()
	l.remaining(l.root, "")
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Made by aistrale import litellm. What was not taken over was listed then.\n\n")
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := encoder.Encode(l.made)
	return text.Bytes(), err
}

// check reads the configuration as aistrale check does, where every variable that it names is set to
// something that may stand there.
func (l *litellm) check(text []byte) error {
	root, err := parseYAML(bytes.NewReader(text), "the configuration")
	if err != nil {
		return err
	}
	d := &decoder{found: &mistakes{file: "the configuration"}, places: map[string]place{}, readFile: os.ReadFile}
	d.getenv = func(name string) string {
		switch {
		case strings.HasPrefix(name, "AISTRALE_"):
			return "" // a setting of its own
		case slices.ContainsFunc(l.made.Providers, func(p importedProvider) bool { return strings.Contains(p.BaseURL, "${"+name+"}") }):
			return "https://api.example.com"
		}
		return "placeholder"
	}
	_, err = d.config(defaults(), root)
	return err
}

// report tells what was made, what was left and what is to be done.
func (l *litellm) report() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d providers and %d aliases are taken over.\n", len(l.made.Providers), len(l.made.Aliases))
	if len(l.left) > 0 {
		fmt.Fprintf(&text, "\nNot taken over:\n")
	}
	slices.SortStableFunc(l.left, func(a, b leftover) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	for _, one := range l.left {
		where := one.file
		if one.line > 0 {
			where = fmt.Sprintf("%s:%d", one.file, one.line)
		}
		fmt.Fprintf(&text, "  %s: %s: %s\n", where, one.path, one.why)
	}
	if len(l.todo) > 0 {
		fmt.Fprintf(&text, "\nTo be done:\n")
	}
	for _, one := range l.todo {
		fmt.Fprintf(&text, "  %s\n", one)
	}
	return text.String()
}
