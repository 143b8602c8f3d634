package boards

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// read reads a file of YAML under deploy.
func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deploy, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// What is provisioned fits together: data sources lead to each other and to the services of the
// composition, which mounts the dashboards where they are looked for.
func TestProvisioning(t *testing.T) {
	var compose struct {
		Services map[string]struct{ Volumes []string }
	}
	read(t, "compose.yaml", &compose)
	var sources struct {
		Datasources []struct {
			UID, Type, URL string
			JSON           yaml.Node `yaml:"jsonData"`
		}
	}
	read(t, "grafana/provisioning/datasources/aistrale.yaml", &sources)
	kinds := map[string]string{}
	for _, s := range sources.Datasources {
		kinds[s.UID] = s.Type
		at, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := compose.Services[at.Hostname()]; !ok {
			t.Errorf("%s is at %s, which is no service of the composition", s.UID, s.URL)
		}
	}
	for _, s := range sources.Datasources {
		for _, led := range valuesOf(&s.JSON, "datasourceUid") {
			if kinds[led] == "" {
				t.Errorf("%s leads to %s, which is no data source", s.UID, led)
			}
		}
	}
	for _, source := range []*grafanaSource{metricsSource, logsSource} { // a board's choice begins with the source that is called as its kind
		if kinds[source.Type] != source.Type {
			t.Errorf("boards ask %s", source.Type)
		}
	}
	var dashboards struct {
		Providers []struct{ Options struct{ Path string } }
	}
	read(t, "grafana/provisioning/dashboards/aistrale.yaml", &dashboards)
	mounted := slices.ContainsFunc(compose.Services["grafana"].Volumes, func(v string) bool {
		return strings.HasPrefix(v, "./grafana/dashboards:"+dashboards.Providers[0].Options.Path)
	})
	if !mounted {
		t.Errorf("the composition mounts no dashboards at %s", dashboards.Providers[0].Options.Path)
	}
	var prometheus struct {
		Jobs []struct {
			Targets []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	read(t, "prometheus/prometheus.yml", &prometheus)
	for _, at := range prometheus.Jobs[0].Targets[0].Targets {
		if host, _, _ := strings.Cut(at, ":"); compose.Services[host].Volumes == nil {
			t.Errorf("Prometheus scrapes %s, which is no service of the composition", at)
		}
	}
}

// valuesOf gives the values of a name anywhere in a document.
func valuesOf(n *yaml.Node, name string) []string {
	var all []string
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == name {
			all = append(all, child.Value)
		}
		all = append(all, valuesOf(child, name)...)
	}
	return all
}
