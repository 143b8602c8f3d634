package main_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aistrale/aistrale/providers/mock"
)

// nodeFolder holds the script of OpenAI's client, and the lock file of what it needs.
var nodeFolder = filepath.Join("testdata", "clients", "node")

// nodeCases is how many cases the script has: one that ends early must not pass.
const nodeCases = 3*12 + 3

// missing skips a test for want of a tool; in CI nothing that is missing is skipped.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func needNode(t *testing.T) {
	t.Helper()
	out, err := exec.Command("node", "-p", `process.versions.node.split(".")[0]`).Output()
	major, _ := strconv.Atoi(strings.TrimSpace(string(out)))
	if _, npm := exec.LookPath("npm"); err != nil || npm != nil || major < 20 {
		missing(t, "Node.js >= 20 with npm is missing: no client for Node.js is tested")
	}
}

// installed gives a folder with the script and the packages of the lock file: cached by the
// lock's hash, so that only the first run needs the registry.
func installed(t *testing.T, from string) string {
	t.Helper()
	hash := sha256.New()
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = content
		hash.Write(content)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "aistrale-clients")
	done := filepath.Join(cache, hex.EncodeToString(hash.Sum(nil))[:16])
	if _, err := os.Stat(done); err == nil {
		return done
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(cache, "install-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(work)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(work, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-engine-strict")
	install.Dir = work
	if out, err := install.CombinedOutput(); err != nil {
		missing(t, "npm ci: "+err.Error()+": "+lastLine(out))
	}
	if err := os.Rename(work, done); err != nil {
		if _, other := os.Stat(done); other != nil { // another run was first otherwise
			t.Fatal(err)
		}
	}
	return done
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

func TestNodeClient(t *testing.T) {
	t.Parallel()
	needNode(t)
	r := start(t, "")
	runNode(t, r, nodeFolder, "clients.mjs", nodeCases)
	checkNodeCalls(t, r)
}

// runNode runs a folder's script against a gateway: each of its cases is a test.
func runNode(t *testing.T, r *running, from, name string, want int) {
	t.Helper()
	folder := installed(t, from)
	script, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		t.Fatal(err)
	}
	// The script stands beside its packages, where Node.js looks for them.
	path := filepath.Join(folder, strconv.Itoa(os.Getpid())+"-"+name)
	if err := os.WriteFile(path, script, 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	runCases(t, r, exec.CommandContext(t.Context(), "node", path), want)
}

// runCases runs a client's program against a gateway: each line that it prints is a test.
func runCases(t *testing.T, r *running, client *exec.Cmd, want int) {
	t.Helper()
	client.Env = append(os.Environ(), "AISTRALE_URL="+r.url, "AISTRALE_KEY="+fullKey, "AISTRALE_NARROW_KEY="+narrowKey, "NO_PROXY=127.0.0.1")
	var stderr bytes.Buffer
	client.Stderr = &stderr
	out, err := client.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", client.Path, err, stderr.String())
	}
	cases := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); cases++ {
		var said struct{ Name, Error string }
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			t.Fatalf("the script said %q", lines.Text())
		}
		t.Run(said.Name, func(t *testing.T) {
			if said.Error != "" {
				t.Error(said.Error)
			}
		})
	}
	if cases != want {
		t.Errorf("%d cases ran, want %d", cases, want)
	}
}

// checkNodeCalls looks at what the upstreams received of the script: turns with reasoning came
// back sealed, and the streams that were left were cancelled.
func checkNodeCalls(t *testing.T, r *running) {
	t.Helper()
	eventually(t, "all upstream calls end", func() bool { return r.mock.Open() == 0 })
	sealed, aborted := map[string]int{}, map[string]int{}
	for _, c := range r.mock.Calls() {
		language, _, _ := strings.Cut(strings.TrimPrefix(c.URI, "/"), "/")
		if strings.Contains(strings.Join(c.Headers, "\n"), "events=100000") {
			if c.State != mock.CallAborted || c.Events >= 1_000 {
				t.Errorf("%s: a stream that was left is %s after %d events", language, c.State, c.Events)
			}
			aborted[language]++
		}
		body := string(c.Body)
		if strings.Contains(body, `"signature":"`) || strings.Contains(body, `"thoughtSignature":"`) && !strings.Contains(body, `"thoughtSignature":"skip_`) {
			sealed[language]++
		}
	}
	for _, language := range []string{"openai", "anthropic", "gemini"} {
		if aborted[language] == 0 {
			t.Errorf("%s: no stream was left", language)
		}
		// Whole and streamed: one turn, one of two calls, and three rounds of one.
		if want := 2 * 5; language != "openai" && sealed[language] < want {
			t.Errorf("%s: %d requests carried seals, want %d", language, sealed[language], want)
		}
	}
}
