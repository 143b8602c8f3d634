package deploy_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/storage/storagetest"
)

// composed is what these tests read of a composition.
type composed struct {
	Services map[string]struct {
		Image       string
		Build       *struct{ Context, Dockerfile string }
		ReadOnly    bool              `json:"read_only"`
		CapDrop     []string          `json:"cap_drop"`
		SecurityOpt []string          `json:"security_opt"`
		Environment map[string]string `json:"environment"`
		Privileged  bool
		Healthcheck *struct{ Test []string }
		DependsOn   map[string]struct{ Condition string } `json:"depends_on"`
		Ports       []struct {
			HostIP string `json:"host_ip"`
			Target int
		}
		Volumes []struct{ Type, Source, Target string }
		Secrets []struct{ Source string }
		Deploy  struct {
			Resources struct{ Limits struct{ Memory, CPUs string } }
		}
	}
	Secrets map[string]struct{ File string }
}

// unasked are the services whose image has no program that could ask for their health; the
// gateways' image asks by itself.
var unasked = []string{"collector", "loki", "load", "gateway-1", "gateway-2"}

// pinned is an image with a version of at least two numbers.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:v?\d+\.\d+[\w.-]*$`)

// The composition is what docker compose's own reader takes, and every service of it is kept
// small: it writes nowhere but in its volumes, may do nothing as root, and has bounds.
func TestCompose(t *testing.T) {
	t.Parallel()
	reader := exec.Command(storagetest.Tool(t, "compose"), "-format", "json", "compose.yaml")
	reader.Env = append(os.Environ(), "COMPOSE_PROFILES=load")
	out, err := reader.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var c composed
	if err := json.Unmarshal(out, &c); err != nil {
		t.Fatal(err)
	}
	want := []string{"balancer", "collector", "gateway-1", "gateway-2", "grafana", "jaeger", "load", "loki", "postgres", "prometheus", "redis"}
	if got := slices.Sorted(maps.Keys(c.Services)); !slices.Equal(got, want) {
		t.Errorf("services %v", got)
	}
	for name, s := range c.Services {
		if !s.ReadOnly || s.Privileged || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s is not hardened", name)
		}
		if s.Deploy.Resources.Limits.Memory == "" {
			t.Errorf("%s has no bound of memory", name)
		}
		if ours := strings.HasPrefix(s.Image, "aistrale:"); !ours && !pinned.MatchString(s.Image) {
			t.Errorf("%s: %s is not pinned", name, s.Image)
		}
		if s.Healthcheck == nil && !slices.Contains(unasked, name) {
			t.Errorf("%s: nobody asks for its health", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %d is open to all", name, p.Target)
			}
		}
		for variable, text := range s.Environment {
			if strings.Contains(variable, "PASSWORD") && !strings.HasPrefix(text, "/run/secrets/") {
				t.Errorf("%s: %s is no file", name, variable)
			}
		}
		for _, v := range s.Volumes {
			if _, err := os.Stat(v.Source); v.Type == "bind" && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, secret := range s.Secrets {
			if c.Secrets[secret.Source].File == "" {
				t.Errorf("%s: the secret %s is nowhere", name, secret.Source)
			}
		}
	}
}

// Secrets are made once: whoever starts again keeps them.
func TestSecrets(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "secrets")
	run := func() map[string]string {
		t.Helper()
		if out, err := exec.Command("./secrets.sh", folder).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		files, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]string{}
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(folder, f.Name()))
			if err != nil || len(b) < 16 {
				t.Errorf("%s has %d bytes, %v", f.Name(), len(b), err)
			}
			made[f.Name()] = string(b)
		}
		return made
	}
	first := run()
	if again := run(); !maps.Equal(first, again) || len(first) != 6 {
		t.Errorf("made %v, then %v", first, again)
	}
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	// 1 is git's own no; outside a clone it cannot say.
	check := exec.Command("git", "check-ignore", "secrets/master_key")
	if out, err := check.CombinedOutput(); err != nil && check.ProcessState.ExitCode() == 1 {
		t.Errorf("git would take the secrets: %v: %s", err, out)
	}
}

// The collector takes its file.
func TestCollector(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command(storagetest.Tool(t, "otelcol"), "validate", "--config", "collector/collector.yaml").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// HAProxy takes its file as the composition gives it, without a warning.
func TestBalancer(t *testing.T) {
	t.Parallel()
	c := exec.Command(storagetest.Tool(t, "haproxy"), "-c", "-f", "haproxy/haproxy.cfg")
	c.Env = append(os.Environ(), "GATEWAY_1=localhost", "GATEWAY_2=localhost")
	if out, err := c.CombinedOutput(); err != nil || strings.Contains(string(out), "WARNING") {
		t.Errorf("%v: %s", err, out)
	}
}
