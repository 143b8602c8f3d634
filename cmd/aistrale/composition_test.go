package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage/storagetest"
)

// What the gateways of deploy/compose.yaml run is a configuration that the program takes, with the
// secrets that deploy/secrets.sh makes; and what its load calls is served and stands in the ledger.
func TestComposition(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	secrets := filepath.Join(p.dir, "secrets")
	if out, err := exec.Command("../../deploy/secrets.sh", secrets).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file, err := os.ReadFile("../../deploy/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(file), "/run/secrets/", secrets+"/")
	if said := p.must(t, "", "check", "--config", p.write(t, "check.yaml", text)); said != "OK" {
		t.Errorf("check says %q", said)
	}

	before, _, ok := strings.Cut(text, "\nstorage:\n")
	if !ok {
		t.Fatal("gateway.yaml does not end with storage")
	}
	for _, change := range [][2]string{
		{`listen: ":8080"`, `listen: "127.0.0.1:0"`}, {`admin_listen: ":8081"`, `admin_listen: "127.0.0.1:0"`},
		{"data_dir: /var/lib/aistrale", "data_dir: " + filepath.Join(p.dir, "data")}, {"drain_delay: 3s", "drain_delay: 0s"},
		{"\ntracing: ", "\n# "}, {"\notlp_logs: ", "\n# "}, // nobody listens
	} {
		if !strings.Contains(before, change[0]) {
			t.Fatalf("gateway.yaml does not say %s", change[0])
		}
		before = strings.Replace(before, change[0], change[1], 1)
	}
	p.env = append(p.env, "AISTRALE_MASTER_KEY_FILE="+filepath.Join(secrets, "master_key"))
	config := p.write(t, "aistrale.yaml", before+"\nstorage: {postgres: \""+storagetest.Postgres(t)+"\", redis: \""+storagetest.Redis(t)+"\"}\n")
	g := p.begin(t, "serve", "--config", config)
	if out, err := exec.Command("../../deploy/load", g.url, filepath.Join(secrets, "load_key"), "20").CombinedOutput(); err != nil {
		t.Fatalf("the load ends with %v: %s", err, out)
	}
	g.stop(t)
	requests, statuses := map[string]bool{}, map[int]int{}
	for _, row := range p.usageRows(t, config) {
		requests[row.RequestID] = true
		statuses[row.Status]++
	}
	// A machine that is busy may take Redis for gone, and refuse a call before it is one.
	if len(requests) < 15 || statuses[200] < 14 || statuses[429] == 0 {
		t.Errorf("%d requests, by status %v", len(requests), statuses)
	}
}

// The configurations that the chart makes are taken too.
func TestChart_config(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	values := p.write(t, "values.yaml", `
replicas: 2
config:
  providers: [{name: mock}]
  aliases: {fast: [mock/gpt]}
  storage: {postgres: "postgres://u:p@db:5432/aistrale", redis: "redis://redis:6379/0"}
`)
	for _, journal := range []string{"file", "postgres"} {
		out, err := exec.Command(storagetest.Tool(t, "helm"), "template", "gw", "../../deploy/helm/aistrale", "-f", values, "--set", "journal.store="+journal, "-s", "templates/config.yaml").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		_, block, ok := strings.Cut(string(out), "config.yaml: |\n")
		if !ok {
			t.Fatalf("no configuration: %s", out)
		}
		config := p.write(t, "aistrale.yaml", strings.ReplaceAll(block, "\n    ", "\n")[4:])
		if said := p.must(t, "", "check", "--config", config); said != "OK" {
			t.Errorf("check says %q", said)
		}
	}
}
