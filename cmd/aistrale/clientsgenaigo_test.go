package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// genaiGoFolder holds the program of Google's client for Go. It is a module of its own, so that
// what the client brings (gRPC, Google's auth) is none of the gateway's.
var genaiGoFolder = filepath.Join("testdata", "clients", "genaigo")

// genaiGoCases is how many cases the program has.
const genaiGoCases = 3*11 + 6

func TestGenaiGoClient(t *testing.T) {
	t.Parallel()
	client := builtClient(t, genaiGoFolder)
	r := start(t, "")
	runCases(t, r, exec.CommandContext(t.Context(), client), genaiGoCases)
	eventually(t, "all upstream calls end", func() bool { return r.mock.Open() == 0 })
	sealed := 0
	for _, c := range r.mock.Calls() {
		if strings.HasPrefix(c.URI, "/anthropic") && strings.Contains(string(c.Body), `"signature":"`) {
			sealed++
		}
	}
	if sealed < 4 {
		t.Errorf("%d requests to Anthropic carried seals", sealed)
	}
}

// builtClient gives the program of a folder that is a module of its own: kept by the hash of its
// files, so that only the first run needs its modules.
func builtClient(t *testing.T, from string) string {
	t.Helper()
	hash := sha256.New()
	hash.Write([]byte(runtime.Version()))
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		hash.Write(content)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "aistrale-clients")
	done := filepath.Join(cache, filepath.Base(from)+"-"+hex.EncodeToString(hash.Sum(nil))[:16])
	if _, err := os.Stat(done); err == nil {
		return done
	}
	download := exec.CommandContext(t.Context(), "go", "mod", "download")
	download.Dir = from
	if out, err := download.CombinedOutput(); err != nil {
		missing(t, "the modules of "+from+" cannot be had: "+lastLine(out))
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(cache, "build-") // another run may make it too
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, "client")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", made, ".")
	build.Dir = from
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build in %s: %v\n%s", from, err, out)
	}
	if err := os.Rename(made, done); err != nil {
		t.Fatal(err)
	}
	return done
}
