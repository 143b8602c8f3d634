package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// respondFolder holds the script of OpenAI's client and its Agents SDK on Responses, and the
// lock file of what they need.
var respondFolder = filepath.Join("testdata", "clients", "responses")

// respondCases is how many cases the script has.
const respondCases = 3*10 + 1

func TestResponsesClient(t *testing.T) {
	t.Parallel()
	needNode(t)
	r := start(t, "")
	runNode(t, r, respondFolder, "clients.mjs", respondCases)
	eventually(t, "all upstream calls end", func() bool { return r.mock.Open() == 0 })
	// To OpenAI's language every call went as it came, none by way of Chat; seals came back.
	exact, sealed := 0, map[string]int{}
	for _, c := range r.mock.Calls() {
		if strings.HasPrefix(c.URI, "/openai/v1/chat") {
			t.Errorf("a call of Responses went to %s", c.URI)
		}
		if strings.HasPrefix(c.URI, "/openai/v1/responses") {
			exact++
		}
		for _, seal := range []string{"encrypted_content", "signature", "thoughtSignature"} {
			if strings.Contains(string(c.Body), `"`+seal+`":"`) {
				sealed[seal]++
			}
		}
	}
	if exact < 20 {
		t.Errorf("%d calls went on as Responses", exact)
	}
	// Whole and streamed: one turn, and three rounds of one.
	for _, seal := range []string{"encrypted_content", "signature", "thoughtSignature"} {
		if want := 2 * 4; sealed[seal] < want {
			t.Errorf("%d requests carried %s, want %d", sealed[seal], seal, want)
		}
	}
}
