package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// backOff runs the script of a client that only knows OpenAI, and gives what it said.
func backOff(t *testing.T, url string, calls int) (answered, refused int, why string) {
	t.Helper()
	needNode(t)
	folder := installed(t, nodeFolder)
	script, err := os.ReadFile(filepath.Join(nodeFolder, "backoff.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "backoff-"+strconv.Itoa(os.Getpid())+".mjs")
	if err := os.WriteFile(path, script, 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	node := exec.CommandContext(t.Context(), "node", path)
	node.Env = append(os.Environ(), "AISTRALE_URL="+url, "AISTRALE_KEY="+fullKey, "AISTRALE_CALLS="+strconv.Itoa(calls), "NO_PROXY=127.0.0.1")
	var stderr bytes.Buffer
	node.Stderr = &stderr
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	var said struct {
		Answered, Refused int
		Error             string
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("the script said %q", out)
	}
	return said.Answered, said.Refused, said.Error
}

// OpenAI's own client rides out a rate with the retries that it has by default, and does not
// waste them on a budget that is spent.
func TestLimits_NodeClient(t *testing.T) {
	const calls = 20
	c := limited(t, 1, "limits: [{scope: key/full, requests_per_minute: 600, burst: 2}]\n")
	answered, refused, why := backOff(t, *c.at[0].Load(), calls)
	t.Logf("%d answered, %d refused", answered, refused)
	if answered != calls || refused < calls/2 || refused > calls || why != "" {
		t.Errorf("of %d calls %d are answered and %d were refused: %s", calls, answered, refused, why)
	}
	c = limited(t, 1, "budgets: [{scope: key/full, usd: \"0.000001\", per: total}]\n")
	if answered, refused, why = backOff(t, *c.at[0].Load(), 1); answered != 0 || refused != 1 || why == "" {
		t.Errorf("under a budget that is spent %d calls are answered, after %d refusals: %s", answered, refused, why)
	}
}
