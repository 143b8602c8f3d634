package deploy_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aistrale/aistrale/internal/edge/edgetest"
	"github.com/aistrale/aistrale/providers/mock"
)

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

const key = "sk-ais-fullkey1-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

// The image's root, made by the Dockerfile's own lines, holds all that the gateway needs: it runs
// there as nobody, with nothing to write but its data folder, calls a provider by TLS whose
// authority stands in the bundle, and knows time zones.
func TestImage(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("to change the root takes root")
	}
	root := filepath.Join(t.TempDir(), "root")
	if out, err := exec.Command("./rootfs", root, "VERSION=v9.9.9", "REVISION=abcdef").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bundle := filepath.Join(root, "etc/ssl/certs/ca-certificates.crt")
	if b, err := os.ReadFile(bundle); err != nil || bytes.Count(b, []byte("BEGIN CERTIFICATE")) < 100 {
		t.Errorf("the bundle has %d certificates, %v", bytes.Count(b, []byte("BEGIN CERTIFICATE")), err)
	}
	upstream, authority := secured(t)
	appendTo(t, bundle, authority)
	config := `listen: "127.0.0.1:0"
admin_listen: "127.0.0.1:0"
providers:
  - {name: mock}
  - {name: away, dialect: openai, base_url: "https://` + upstream + `/openai/v1", api_key: any}
keys: [{name: ci, key: ` + key + `}]
budgets: [{scope: key/ci, usd: 5, per: day, time_zone: America/Santiago, unpriced: allow}]
`
	if err := os.WriteFile(filepath.Join(root, "etc/aistrale/config.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	g := enter(t, root)
	for _, model := range []string{"mock/gpt", "away/gpt-4o"} {
		if status, body := g.chat(t, model); status != http.StatusOK || !strings.Contains(body, `"chat.completion"`) {
			t.Errorf("%s: %d %s", model, status, body)
		}
	}
	if out, err := inside(root, "health", g.admin+"/readyz").CombinedOutput(); err != nil || string(out) != "ok\n" {
		t.Errorf("health: %v: %s", err, out)
	}
	if out, err := inside(root, "version").CombinedOutput(); err != nil || string(out) != "aistrale v9.9.9 (abcdef)\n" {
		t.Errorf("version: %v: %s", err, out)
	}
	// Nothing else can be written, and nobody else may be asked to.
	if out, err := inside(root, "backup", "/etc/aistrale/b.tar").CombinedOutput(); err == nil || !strings.Contains(string(out), "read-only file system") {
		t.Errorf("a backup beside the config: %v: %s", err, out)
	}
}

// A gateway is the program in its root.
type gateway struct {
	url, admin string
	said       bytes.Buffer // after it has ended
}

// inside is a command of the image in a root that nobody can write to, as the image's user.
func inside(root string, args ...string) *exec.Cmd {
	const script = `mount --bind "$1" "$1" && mount --bind "$1/var/lib/aistrale" "$1/var/lib/aistrale" &&
mount -o remount,bind,ro "$1" && root=$1 && shift &&
exec chroot --userspec=65532:65532 "$root" /usr/bin/aistrale "$@"`
	c := exec.Command("unshare", append([]string{"--mount", "sh", "-c", script, "inside", root}, args...)...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "AISTRALE_DATA_DIR=/var/lib/aistrale", "AISTRALE_MASTER_KEY=" + masterKey}
	return c
}

// masterKey is 32 bytes of the letter k.
const masterKey = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="

// enter starts the gateway in the root, and waits until it serves.
func enter(t *testing.T, root string) *gateway {
	t.Helper()
	g := &gateway{}
	c := inside(root, "serve", "--config", "/etc/aistrale/config.yaml")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = &g.said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	read := json.NewDecoder(out)
	for g.url == "" {
		var line struct {
			Msg, Listen string
			Admin       string `json:"admin_listen"`
		}
		if err := read.Decode(&line); err != nil {
			_ = c.Wait()
			t.Fatalf("the gateway does not serve: %v: %s", err, g.said.String())
		}
		if line.Msg == "serving" {
			g.url, g.admin = "http://"+line.Listen, "http://"+line.Admin
		}
	}
	guard.Stop()
	go func() { _, _ = io.Copy(io.Discard, io.MultiReader(read.Buffered(), out)) }() // ends with the program
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			t.Errorf("the gateway ended: %v: %s", err, g.said.String())
		}
	})
	return g
}

func (g *gateway) chat(t *testing.T, model string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	text := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hi"}]}`, model)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/v1/chat/completions", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// secured is an emulator behind TLS, and the authority that its certificate is of.
func secured(t *testing.T) (address string, authority []byte) {
	t.Helper()
	signer := edgetest.NewAuthority(t)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{signer.Pair(t, "an emulator")}})
	m := mock.New(mock.Options{})
	served := make(chan error, 1)
	go func() { served <- m.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := m.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return plain.Addr().String(), signer.PEM()
}

func appendTo(t *testing.T, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
