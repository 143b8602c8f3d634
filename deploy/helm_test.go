package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/aistrale/aistrale/storage/storagetest"
)

const chart = "helm/aistrale"

// render is what helm makes of the chart with some values; where helm refuses, what it says.
func render(t *testing.T, values string) (manifests string, refused string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	c := exec.Command(storagetest.Tool(t, "helm"), "template", "gw", chart, "--namespace", "llm", "-f", file)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		return "", said.String()
	}
	return string(out), ""
}

// shared are values of many gateways with all that there is.
const shared = `
replicas: 3
config:
  providers: [{name: mock}, {name: openai}]
  storage: {postgres: "${file:/run/secrets/postgres}", redis: "${file:/run/secrets/redis}"}
  metrics_token: ${file:/run/secrets/metrics}
secrets:
  postgres: {secret: aistrale, key: postgres-url}
  redis: {secret: aistrale, key: redis-url}
  metrics: {secret: aistrale, key: metrics-token}
masterKey: {secret: aistrale}
autoscaling: {enabled: true}
ingress: {enabled: true, className: nginx, host: llm.example.com, tls: [{secretName: tls, hosts: [llm.example.com]}]}
networkPolicy:
  clients: [{namespaceSelector: {matchLabels: {team: web}}}]
  control: [{namespaceSelector: {matchLabels: {name: monitoring}}}]
serviceMonitor: {enabled: true, metricsToken: {name: aistrale, key: metrics-token}}
prometheusRule: {enabled: true, labels: {release: prometheus}}
env: [{name: OPENAI_API_KEY, valueFrom: {secretKeyRef: {name: aistrale, key: openai}}}]
nodeSelector: {disk: ssd}
tolerations: [{key: llm, operator: Exists}]
podLabels: {team: platform}
priorityClassName: high
image: {digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
`

const diskless = `
journal: {store: postgres}
config: {providers: [{name: mock}], storage: {postgres: "${file:/run/secrets/postgres}"}}
secrets: {postgres: {secret: aistrale, key: url}}
replicas: 2
`

// object is a manifest, as far as these tests look at it.
type object struct {
	Kind     string
	Metadata struct{ Labels map[string]string }
	Spec     struct {
		Groups               []any
		Replicas             *int
		VolumeClaimTemplates []any `yaml:"volumeClaimTemplates"`
		Template             struct {
			Metadata struct{ Annotations map[string]string }
			Spec     struct {
				Grace   int `yaml:"terminationGracePeriodSeconds"`
				Volumes []struct {
					Name     string
					EmptyDir map[string]any `yaml:"emptyDir"`
				}
				Containers []struct {
					VolumeMounts []struct {
						Name string
						Path string `yaml:"mountPath"`
					} `yaml:"volumeMounts"`
				}
			}
		}
	}
	Data map[string]string
}

func objects(t *testing.T, manifests string) map[string]object {
	t.Helper()
	found := map[string]object{}
	read := yaml.NewDecoder(strings.NewReader(manifests))
	for {
		var o object
		if err := read.Decode(&o); err != nil {
			return found
		}
		found[o.Kind] = o
	}
}

// Every form of the chart is what a cluster's API takes, field for field.
func TestHelm(t *testing.T) {
	t.Parallel()
	schemas := kubernetesSchemas(t)
	if out, err := exec.Command(storagetest.Tool(t, "helm"), "lint", "--strict", chart).CombinedOutput(); err != nil {
		t.Errorf("helm lint: %s", out)
	}
	f := func(values, kind string, want ...string) map[string]object {
		t.Helper()
		manifests, refused := render(t, values)
		if refused != "" {
			t.Fatalf("%s: %s", values, refused)
		}
		c := exec.Command(storagetest.Tool(t, "kubeconform"), "-strict", "-summary", "-skip", "ServiceMonitor,PrometheusRule", "-schema-location", schemas)
		c.Stdin = strings.NewReader(manifests)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("kubeconform: %s", out)
		}
		found := objects(t, manifests)
		for _, kind := range append(want, kind, "ConfigMap", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy") {
			if _, ok := found[kind]; !ok {
				t.Errorf("no %s", kind)
			}
		}
		pod := found[kind].Spec.Template.Spec
		if pod.Grace <= 60+2*5 {
			t.Errorf("a grace of %d s is not more than the drain", pod.Grace)
		}
		for _, v := range pod.Volumes {
			if v.Name == "journal" || v.EmptyDir != nil && kind == "StatefulSet" {
				t.Errorf("the journal is on %v", v)
			}
		}
		return found
	}
	one := f("{}", "StatefulSet")["StatefulSet"]
	if len(one.Spec.VolumeClaimTemplates) != 1 || one.Spec.Template.Spec.Containers[0].VolumeMounts[1].Path != "/var/lib/aistrale" {
		t.Errorf("the journal has no volume: %+v", one)
	}
	many := f(shared, "StatefulSet", "HorizontalPodAutoscaler", "Ingress", "ServiceMonitor", "PrometheusRule")
	if many["StatefulSet"].Spec.Replicas != nil {
		t.Error("replicas are the autoscaler's to say")
	}
	if rule := many["PrometheusRule"]; rule.Metadata.Labels["release"] != "prometheus" || !reflect.DeepEqual(rule.Spec.Groups, ruleGroups(t)) {
		t.Errorf("the rules are not those of deploy/prometheus/rules: %+v", rule)
	}
	if _, asked := f(diskless, "Deployment")["PrometheusRule"]; asked {
		t.Error("rules that nobody asked for")
	}
	// A change of the configuration replaces the pods.
	other := f("config: {providers: [{name: openai}]}", "StatefulSet")["StatefulSet"]
	sum := func(o object) string { return o.Spec.Template.Metadata.Annotations["checksum/config"] }
	if sum(one) == "" || sum(one) == sum(other) {
		t.Errorf("checksums %q, %q", sum(one), sum(other))
	}
}

// ruleGroups are those that Prometheus is given by itself.
func ruleGroups(t *testing.T) []any {
	t.Helper()
	var all []any
	for _, name := range []string{"alerts.yml", "recordings.yml"} {
		text, err := os.ReadFile(filepath.Join("prometheus/rules", name))
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Groups []any }
		if err := yaml.Unmarshal(text, &file); err != nil || len(file.Groups) == 0 {
			t.Fatalf("%s has %d groups: %v", name, len(file.Groups), err)
		}
		all = append(all, file.Groups...)
	}
	return all
}

// What would lose records, split a fleet or be overruled is refused before anything is installed.
func TestHelm_refuses(t *testing.T) {
	t.Parallel()
	f := func(values, want string) {
		t.Helper()
		if _, refused := render(t, values); !strings.Contains(refused, want) {
			t.Errorf("%s: says %q, not %q", values, refused, want)
		}
	}
	f("journal: {store: emptyDir}", "journal/store")
	f("journal: {store: off}", "journal/store")
	f("journal: {persistence: false}", "persistence")
	f("journal: {store: postgres}", "storage")
	f("replicas: 2", "set config.storage.postgres")
	f("autoscaling: {enabled: true}", "set config.storage.postgres")
	f("replicas: 0", "replicas")
	f("config: {providers: []}", "providers")
	f("config: {providers: [{name: mock}], journal: off}", "journal")
	f("config: {providers: [{name: mock}], data_dir: /tmp}", "data_dir")
	f("env: [{name: AISTRALE_JOURNAL_STORE, value: off}]", "env")
	f("drain: {delay: 0}", "delay")
	f("ingress: {enabled: true}", "host")
	f("image: {digest: latest}", "digest")
	f("podd: {}", "podd")
}

// kubernetesSchemas makes JSON schemas for kubeconform of the cluster's own description of its API,
// as nothing can be fetched, and gives where they are. No field is taken that is not described.
func kubernetesSchemas(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(storagetest.Tool(t, "kubernetes"))
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Definitions map[string]map[string]any
	}
	if err := json.Unmarshal(text, &api); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name string, value any) {
		b, err := json.Marshal(value)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, d := range api.Definitions {
		switch {
		case strings.HasSuffix(name, ".IntOrString"):
			delete(d, "type") // it is said to be a string
			d["oneOf"] = []any{map[string]any{"type": "string"}, map[string]any{"type": "integer"}}
		case strings.HasSuffix(name, ".Quantity"):
			d["type"] = []any{"string", "number"}
		case d["properties"] != nil:
			d["additionalProperties"] = false
		}
	}
	write("definitions.json", map[string]any{"definitions": api.Definitions})
	for name, d := range api.Definitions {
		kinds, _ := d["x-kubernetes-group-version-kind"].([]any)
		for _, k := range kinds {
			kind, ok := k.(map[string]any)
			if !ok {
				continue
			}
			group, _, _ := strings.Cut(fmt.Sprint(kind["group"]), ".")
			file := strings.ToLower(fmt.Sprintf("%s-%s-%s.json", kind["kind"], group, kind["version"]))
			write(strings.Replace(file, "--", "-", 1), map[string]any{"$ref": "definitions.json#/definitions/" + name})
		}
	}
	return folder + "/{{.ResourceKind}}{{.KindSuffix}}.json"
}
