package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// genaiFolder holds the script of Google's client, and the lock file of what it needs.
var genaiFolder = filepath.Join("testdata", "clients", "genai")

// genaiCases is how many cases the script has.
const genaiCases = 3*13 + 6

func TestGenaiClient(t *testing.T) {
	t.Parallel()
	needNode(t)
	r := start(t, "")
	runNode(t, r, genaiFolder, "clients.mjs", genaiCases)
	eventually(t, "all upstream calls end", func() bool { return r.mock.Open() == 0 })
	// What Claude sealed came back to it through Google's client: two turns, whole and streamed.
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
